import AgentQueueModel

/// Requests that go to a provider as one batch, as the store knows it: a row of `provider_batches`. Times are wall clock, ms.
package struct ProviderBatch: Sendable, Equatable {
    /// Where it stands.
    package enum State: String, Sendable, CaseIterable {
        /// Takes jobs. Nothing of it is at the provider.
        case collecting
        /// Sent, perhaps: the provider is asked before it is sent again.
        case submitting
        /// At the provider.
        case submitted
        /// Given up at the provider: what is done comes back.
        case cancelling
        /// Its answers are taken in.
        case harvesting
        /// Those without an answer go back.
        case returning
        /// It holds no jobs.
        case ended
    }

    /// How those without an answer go back.
    package enum Rest: String, Sendable {
        /// Into the next batch.
        case again
        /// Into the next batch; those that were in one that failed before are called for alone.
        case suspect
        /// To be called for alone.
        case live
    }

    /// The right to look after it.
    package struct Owner: Sendable, Equatable {
        /// The worker.
        package var worker: Int64
        /// From the counter that the tokens of claims come from.
        package var token: Int64
        /// CLOCK_BOOTTIME, ms.
        package var leaseExpiresAt: Int64
    }

    /// Its number, never used again.
    package let id: Int64
    /// What its requests are sent to.
    package let target: Target
    /// What they ask.
    package let kind: JobKind
    /// What it is found by at the provider; its items' names begin with it.
    package let label: String
    /// When its first job came.
    package let createdAt: Int64
    /// Where it stands.
    package var state: State
    /// Whether it takes no more jobs.
    package var isClosed: Bool
    /// The provider's name for it.
    package var remoteID: String?
    /// Whether that is known to be this one, and not just one of as many requests.
    package var isCertain: Bool
    /// The provider's batches that were found to be another's.
    package var excluded: [String]
    /// How those without an answer go back; nil until that is known.
    package var rest: Rest?
    /// How many jobs it holds; once it was sent, how many it was sent with.
    package var jobs: Int
    /// Of embed jobs, their texts; else as `jobs`.
    package var inputs: Int
    /// Its requests' bytes, about.
    package var bytes: Int
    /// When the intent to send it was first written.
    package var submittingAt: Int64?
    /// Until when a request that sent it may still arrive at the provider.
    package var unsettledUntil: Int64?
    /// When the provider took it.
    package var submittedAt: Int64?
    /// When the provider ends it at the latest.
    package var expiresAt: Int64?
    /// When it is to be looked at next.
    package var dueAt: Int64
    /// How often it was found under way.
    package var looks: Int
    /// How often in a row the provider answered with a failure.
    package var failures: Int
    /// When the deadline of one of its jobs is near; nil if none has one.
    package var urgentAt: Int64?
    /// Who looks after it now.
    package var owner: Owner?
    /// What went wrong last, in a sentence.
    package var error: String?
    /// Whether anyone still waits for one of its answers.
    package var isWanted: Bool
    /// Whether there are ready jobs that may join it.
    package var hasMore: Bool

    /// An item's name at the provider. It tells whose batch it is in, and says so for certain.
    package func itemName(of job: Int64) -> String { "\(label)-\(job)" }

    /// The job of an item; nil where the name is none of this batch.
    package func job(ofItem name: String) -> Int64? {
        guard name.hasPrefix(label + "-") else { return nil }
        return Int64(name.dropFirst(label.count + 1))
    }
}

extension ProviderBatch {
    private static let columns = """
        id, target, kind, label, created_at, state, is_closed, remote_id, is_certain, excluded, rest, jobs, inputs, bytes, submitting_at,
        unsettled_until, submitted_at, expires_at, due_at, looks, failures, urgent_at, worker_id, token, lease_expires_at, error,
        EXISTS (SELECT 1 FROM provider_batch_jobs INDEXED BY provider_batch_jobs_waiting
                WHERE batch_id = provider_batches.id AND is_given_up = 0)
        OR EXISTS (SELECT 1 FROM provider_batch_jobs CROSS JOIN followers ON followers.digest = provider_batch_jobs.digest
                   WHERE batch_id = provider_batches.id),
        EXISTS (SELECT 1 FROM lanes WHERE lanes.target = provider_batches.target AND lanes.kind = provider_batches.kind
                AND available > 0)
        """

    /// A provider's batches that have not ended, oldest first.
    static let open = SQLText(
        "SELECT \(columns) FROM provider_batches INDEXED BY provider_batches_open WHERE provider = ? AND state <> 'ended' ORDER BY id")
    /// A batch under the right to look after it.
    static let owned = SQLText("SELECT \(columns) FROM provider_batches WHERE id = ? AND token = ?")

    /// Reads the columns.
    /// - Throws: `StoreError`, `corrupt`, where they hold what was never written.
    init(_ row: Statement) throws {
        let id = row.int64(0)
        guard let target = Target(row.text(1)), let kind = JobKind(rawValue: row.text(2)), let state = State(rawValue: row.text(5))
        else { throw StoreError(.corrupt, "provider batch \(id) is damaged") }
        self.id = id
        self.target = target
        self.kind = kind
        label = row.text(3)
        createdAt = row.int64(4)
        self.state = state
        isClosed = row.bool(6)
        remoteID = row.optionalText(7)
        isCertain = row.bool(8)
        excluded = try Self.excluded(row.text(9), of: id)
        rest = row.optionalText(10).flatMap(Rest.init(rawValue:))
        jobs = row.int(11)
        inputs = row.int(12)
        bytes = row.int(13)
        submittingAt = row.optionalInt64(14)
        unsettledUntil = row.optionalInt64(15)
        submittedAt = row.optionalInt64(16)
        expiresAt = row.optionalInt64(17)
        dueAt = row.int64(18)
        looks = row.int(19)
        failures = row.int(20)
        urgentAt = row.optionalInt64(21)
        owner = row.optionalInt64(23).map { Owner(worker: row.int64(22), token: $0, leaseExpiresAt: row.int64(24)) }
        error = row.optionalText(25)
        isWanted = row.bool(26)
        hasMore = row.bool(27)
    }

    /// The remote ids that a row's `excluded` holds.
    static func excluded(_ text: String, of id: Int64) throws(StoreError) -> [String] {
        guard let values = (try? JSONValue.parse(text))?.array else {
            throw StoreError(.corrupt, "provider batch \(id) is damaged: the ids it has excluded are no JSON array")
        }
        return values.compactMap(\.string)
    }

    static func text(ofExcluded ids: [String]) -> String { JSONValue.array(ids.map { .string($0) }).text }
}
