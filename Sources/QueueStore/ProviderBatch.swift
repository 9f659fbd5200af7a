import JobModel

/// Requests that go to a provider as one batch, as the store knows it: a row of `provider_batches`. Times are wall clock, ms.
public struct ProviderBatch: Sendable, Equatable {
    /// Where it stands.
    public enum State: String, Sendable, CaseIterable {
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
    public enum Rest: String, Sendable {
        /// Into the next batch.
        case again
        /// Into the next batch; those that were in one that failed before are called for alone.
        case suspect
        /// To be called for alone.
        case live
    }

    /// The right to look after it.
    public struct Owner: Sendable, Equatable {
        /// The worker.
        public var worker: Int64
        /// From the counter that the tokens of claims come from.
        public var token: Int64
        /// CLOCK_BOOTTIME, ms.
        public var leaseExpiresAt: Int64
    }

    /// Its number, never used again.
    public let id: Int64
    /// What its requests are sent to.
    public let target: Target
    /// What they ask.
    public let kind: JobKind
    /// What it is found by at the provider; its items' names begin with it.
    public let label: String
    /// When its first job came.
    public let createdAt: Int64
    /// Where it stands.
    public var state: State
    /// Whether it takes no more jobs.
    public var isClosed: Bool
    /// The provider's name for it.
    public var remoteID: String?
    /// Whether that is known to be this one, and not just one of as many requests.
    public var isCertain: Bool
    /// The provider's batches that were found to be another's.
    public var excluded: [String]
    /// How those without an answer go back; nil until that is known.
    public var rest: Rest?
    /// How many jobs it holds; once it was sent, how many it was sent with.
    public var jobs: Int
    /// Of embed jobs, their texts; else as `jobs`.
    public var inputs: Int
    /// Its requests' bytes, about.
    public var bytes: Int
    /// When the intent to send it was first written.
    public var submittingAt: Int64?
    /// Until when a request that sent it may still arrive at the provider.
    public var unsettledUntil: Int64?
    /// When the provider took it.
    public var submittedAt: Int64?
    /// When the provider ends it at the latest.
    public var expiresAt: Int64?
    /// When it is to be looked at next.
    public var dueAt: Int64
    /// How often it was found under way.
    public var looks: Int
    /// How often in a row the provider answered with a failure.
    public var failures: Int
    /// When the deadline of one of its jobs is near; nil if none has one.
    public var urgentAt: Int64?
    /// Who looks after it now.
    public var owner: Owner?
    /// What went wrong last, in a sentence.
    public var error: String?
    /// Whether anyone still waits for one of its answers.
    public var isWanted: Bool
    /// Whether there are ready jobs that may join it.
    public var hasMore: Bool

    /// An item's name at the provider. It tells whose batch it is in, and says so for certain.
    public func itemName(of job: Int64) -> String { "\(label)-\(job)" }

    /// The job of an item; nil where the name is none of this batch.
    public func job(ofItem name: String) -> Int64? {
        guard name.hasPrefix(label + "-") else { return nil }
        return Int64(name.dropFirst(label.count + 1))
    }
}
