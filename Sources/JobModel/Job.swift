/// Everything the store knows about a job, as `show` prints it.
public struct Job: Sendable, Equatable {
    /// Its number, never used again.
    public var id: Int64
    /// The user's own name for it, kept for batch output files.
    public var customID: String?
    /// What it asks of the model.
    public var kind: JobKind
    /// The queue it waits in.
    public var queue: String
    /// What it is sent to.
    public var target: Target
    /// Where it stands in its life.
    public var state: JobState
    /// 1 to 9, lower runs first.
    public var priority: Int
    /// Attempts counted so far, the one under way included; 0 before the first.
    public var attempt: Int
    /// Attempts there may be, 1 to 1,000.
    public var maxAttempts: Int
    /// The process that runs it, while it runs.
    public var worker: WorkerIdentity?
    /// Wall clock, ms since 1970, as all times here.
    public var createdAt: Int64
    /// From when it may run: when it was created unless a later time was asked for; a wait for the next attempt moves it.
    public var scheduledAt: Int64
    /// When it was last claimed; nil if it never was.
    public var attemptedAt: Int64?
    /// When it ended; nil unless its state is final.
    public var finalizedAt: Int64?
    /// Discarded if not begun by then; nil if it does not expire.
    public var expiresAt: Int64?
    /// Since when its cancellation is asked for.
    public var cancelRequestedAt: Int64?
    /// In ms.
    public var timeout: Int64?
    /// The name of the batch it belongs to.
    public var batch: String?
    /// The most that its calls may cost together, in US dollars; of a job in a batch, what the whole batch may. Nil is no bound.
    public var budget: Double?
    /// Words to find it by, in alphabetical order.
    public var tags: [String]
    /// The user's own data, a JSON object.
    public var metadata: JSONValue?
    /// Refuses a second job of the same key, until this one is cancelled, discarded or pruned.
    public var uniqueKey: String?
    /// The run that it was made for.
    public var runID: Int64?
    /// Its place in that run; nil where another job has taken it.
    public var step: String?
    /// Jobs it waits for, or waited for.
    public var after: [Int64]
    /// The canonical request.
    public var request: JSONValue
    /// Whether a cached answer may serve, and the answer be cached.
    public var useCache: Bool
    /// How long its answer may serve from the cache, in ms; nil is the configuration's.
    public var cacheTimeToLive: Int64?
    /// Whether it may be sent with others as a batch of the provider's.
    public var usesBatchAPI = false
    /// When its answer is wanted, of a job that waits for a batch.
    public var deadline: Int64?
    /// SHA-256 of the canonical request: the cache key.
    public var digest: [UInt8]
    /// The answer; nil as long as there is none.
    public var result: JobResult?
    /// Oldest first.
    public var errors: [JobError]

    /// A worker process.
    public struct WorkerIdentity: Sendable, Equatable {
        /// The worker's number, never used again.
        public var id: Int64
        /// Its process id; 0 where it is no longer registered.
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
