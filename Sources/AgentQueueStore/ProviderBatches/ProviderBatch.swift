import AgentQueueModel

/// Requests sent to a provider as one batch, as the store records them: a row of `provider_batches`. Times are wall clock, ms.
package struct ProviderBatch: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        /// Accepts jobs. The provider has nothing of it.
        case collecting
        /// May have been sent; the provider is asked before it is sent again.
        case submitting
        /// The provider has it.
        case submitted
        /// Cancelled at the provider; finished results will still be read.
        case cancelling
        /// Its results are being read.
        case harvesting
        /// Jobs without an answer are being returned.
        case returning
        /// It holds no jobs any more.
        case ended
    }

    /// Where jobs without an answer go.
    package enum Rest: String, Sendable {
        /// To the next batch.
        case again
        /// To the next batch; jobs that were already in a failed batch are called individually.
        case suspect
        /// To be called individually.
        case live
    }

    /// Ownership of a batch: only its owner sends, polls and settles it.
    package struct Owner: Sendable, Equatable {
        package var worker: Int64
        /// From the counter that also issues claim tokens.
        package var token: Int64
        /// CLOCK_BOOTTIME, ms.
        package var leaseExpiresAt: Int64
    }

    /// The row's id, never reused.
    package let id: Int64
    /// The target of its requests.
    package let target: Target
    /// The kind of its requests.
    package let kind: JobKind
    /// Identifies the batch at the provider; also the prefix of its items' names.
    package let label: String
    /// When its first job was added.
    package let createdAt: Int64
    package var state: State
    /// Whether it accepts no more jobs.
    package var isClosed: Bool
    /// The provider's id for it.
    package var remoteID: String?
    /// Whether `remoteID` is known to be this batch, and not merely one with the same number of requests.
    package var isCertain: Bool
    /// Remote batches that turned out to belong to another batch.
    package var excluded: [String]
    /// Where jobs without an answer go; nil until known.
    package var rest: Rest?
    /// The number of jobs it holds; once sent, the number it was sent with.
    package var jobs: Int
    /// The number of texts of embed jobs; for other kinds, equal to `jobs`.
    package var inputs: Int
    /// The approximate size of its requests, in bytes.
    package var bytes: Int
    /// When the intent to send it was first recorded.
    package var submittingAt: Int64?
    /// Until when a submission in flight may still reach the provider.
    package var unsettledUntil: Int64?
    /// When the provider accepted it.
    package var submittedAt: Int64?
    /// When the provider ends it at the latest.
    package var expiresAt: Int64?
    /// When a worker should next handle it.
    package var dueAt: Int64
    /// How many polls found it in progress.
    package var looks: Int
    /// The number of consecutive failures of the provider.
    package var failures: Int
    /// When the first deadline of its jobs becomes near; nil if none has one.
    package var urgentAt: Int64?
    package var owner: Owner?
    /// The latest error, as a sentence.
    package var error: String?
    /// Whether any job still waits for one of its answers.
    package var isWanted: Bool
    /// Whether there are ready jobs that could join it.
    package var hasMore: Bool

    /// The name of an item at the provider. It identifies with certainty the batch that the item belongs to.
    package func itemName(of job: Int64) -> String { "\(label)-\(job)" }

    /// The job of an item; nil if the name does not belong to this batch.
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
    /// A batch, if it is owned under the given token.
    static let owned = SQLText("SELECT \(columns) FROM provider_batches WHERE id = ? AND token = ?")

    /// Reads the columns.
    /// - Throws: `StoreError`; `corrupt` if they hold values that the store never writes.
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

    /// Decodes the remote ids in the `excluded` column.
    static func excluded(_ text: String, of id: Int64) throws(StoreError) -> [String] {
        guard let values = (try? JSONValue.parse(text))?.array else {
            throw StoreError(.corrupt, "provider batch \(id) is damaged: the ids it has excluded are no JSON array")
        }
        return values.compactMap(\.string)
    }

    static func text(ofExcluded ids: [String]) -> String { JSONValue.array(ids.map { .string($0) }).text }
}
