/// Everything the store knows about a job, as `show` prints it.
public struct Job: Sendable, Equatable {
    public var id: Int64
    public var customID: String?
    public var kind: JobKind
    public var queue: String
    public var target: Target
    public var state: JobState
    public var priority: Int
    public var attempt: Int
    public var maxAttempts: Int
    /// The process that runs it, while it runs.
    public var worker: WorkerIdentity?
    /// Wall clock, ms since 1970, as all times here.
    public var createdAt: Int64
    public var scheduledAt: Int64
    public var attemptedAt: Int64?
    public var finalizedAt: Int64?
    public var expiresAt: Int64?
    /// Since when its cancellation is asked for.
    public var cancelRequestedAt: Int64?
    /// In ms.
    public var timeout: Int64?
    public var batch: String?
    public var tags: [String]
    public var metadata: JSONValue?
    public var uniqueKey: String?
    /// Jobs it waits for, or waited for.
    public var after: [Int64]
    /// The canonical request.
    public var request: JSONValue
    public var useCache: Bool
    /// SHA-256 of the canonical request: the cache key.
    public var digest: [UInt8]
    public var result: JobResult?
    /// Oldest first.
    public var errors: [JobError]

    /// A worker process.
    public struct WorkerIdentity: Sendable, Equatable {
        public var id: Int64
        public var pid: Int64

        /// Names a worker.
        public init(id: Int64, pid: Int64) {
            self.id = id
            self.pid = pid
        }
    }

    /// Makes a job of the fields that every job has.
    public init(
        id: Int64, kind: JobKind, queue: String, target: Target, state: JobState, priority: Int, attempt: Int, maxAttempts: Int,
        createdAt: Int64, scheduledAt: Int64, request: JSONValue, useCache: Bool, digest: [UInt8]
    ) {
        self.id = id
        self.kind = kind
        self.queue = queue
        self.target = target
        self.state = state
        self.priority = priority
        self.attempt = attempt
        self.maxAttempts = maxAttempts
        self.createdAt = createdAt
        self.scheduledAt = scheduledAt
        self.request = request
        self.useCache = useCache
        self.digest = digest
        tags = []
        after = []
        errors = []
    }
}
