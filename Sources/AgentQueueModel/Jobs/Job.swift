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
    package var worker: WorkerIdentity?
    /// Wall clock, ms since 1970, as all times here.
    package var createdAt: Int64
    /// From when it may run: when it was created unless a later time was asked for; a wait for the next attempt moves it.
    package var scheduledAt: Int64
    /// When it was last claimed; nil if it never was.
    package var attemptedAt: Int64?
    /// When it ended; nil unless its state is final.
    package var finalizedAt: Int64?
    /// Discarded if not begun by then; nil if it does not expire.
    package var expiresAt: Int64?
    /// Since when its cancellation is asked for.
    package var cancelRequestedAt: Int64?
    /// In ms.
    package var timeout: Int64?
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
    package var useCache: Bool
    /// How long its answer may serve from the cache, in ms; nil is the configuration's.
    package var cacheTimeToLive: Int64?
    /// Whether it may be sent with others as a batch of the provider's.
    package var usesBatchAPI = false
    /// When its answer is wanted, of a job that waits for a batch.
    package var deadline: Int64?
    /// SHA-256 of the canonical request: the cache key.
    package var digest: [UInt8]
    /// The answer; nil as long as there is none.
    public var result: JobResult?
    /// Oldest first.
    public var errors: [JobError]

    /// A worker process.
    package struct WorkerIdentity: Sendable, Equatable {
        /// The worker's number, never used again.
        public var id: Int64
        /// Its process id; 0 where it is no longer registered.
        package var pid: Int64

        /// Names a worker.
        package init(id: Int64, pid: Int64) {
            self.id = id
            self.pid = pid
        }
    }

    /// Makes a job of the fields that every job has.
    package init(
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

/// What a job asks of a model.
public enum JobKind: String, Sendable, CaseIterable, Codable {
    /// A chat completion.
    case generate
    /// Texts to vectors.
    case embed
    /// Embed a text and remember it.
    case memorize

    /// Whether several jobs of this kind can share one provider call.
    package var isBatchable: Bool { self != .generate }
}

/// Where a job stands in its life.
///
/// ```
/// pending ─┐                     ┌─> completed
/// scheduled┼─> available ─> running ─> retryable ─> available …
///          └────────────────────┴─> cancelled, discarded
/// ```
public enum JobState: String, Sendable, CaseIterable, Codable {
    /// Waits for other jobs to complete.
    case pending
    /// Waits for a time.
    case scheduled
    /// Ready to be claimed.
    case available
    /// Claimed by a worker, under a lease.
    case running
    /// Failed, and waits for its next attempt.
    case retryable
    /// Answered. Final.
    case completed
    /// Ended by a person, or because a job it depends on ended without completing. Final.
    case cancelled
    /// Ended without an answer: attempts used up, a permanent failure, or expired. Final.
    case discarded

    /// Final states never change again unless a person retries or deletes the job; `finalized_at` is set in exactly these.
    public var isFinal: Bool {
        switch self {
        case .completed, .cancelled, .discarded: true
        case .pending, .scheduled, .available, .running, .retryable: false
        }
    }
}

extension Job {
    /// Whether the cache may serve it. What a job with memories in its prompt asks is known only when it runs, and the texts of one that
    /// remembers must be stored: those say it in their requests.
    package var usesCache: Bool {
        switch kind {
        case .generate: useCache || MemoryUse(request).map(\.usesCache) == true
        case .embed: useCache
        case .memorize: MemoryOrder(request).map(\.usesCache) ?? useCache
        }
    }
}

/// Which jobs a command means. Conditions are joined by "and"; an empty filter means all.
public struct JobFilter: Sendable, Equatable {
    /// In any of these states; empty means every state.
    public var states: [JobState]
    /// Waiting in the queue of this name.
    public var queue: String?
    /// A target, `provider/model`.
    public var model: String?
    /// Belonging to the batch of this name.
    public var batch: String?
    /// Carrying this tag, spelled alike.
    public var tag: String?
    /// Created at or after this time (wall clock, ms).
    package var since: Int64?
    /// Made for the run of this id.
    public var run: Int64?

    /// Makes a filter.
    public init(
        states: [JobState] = [], queue: String? = nil, model: String? = nil, batch: String? = nil, tag: String? = nil, run: Int64? = nil
    ) {
        self.init(states: states, queue: queue, model: model, batch: batch, tag: tag, since: nil, run: run)
    }

    /// Makes a filter that also asks for the time.
    /// - Parameter since: wall clock, ms.
    package init(
        states: [JobState] = [], queue: String? = nil, model: String? = nil, batch: String? = nil, tag: String? = nil, since: Int64?,
        run: Int64? = nil
    ) {
        self.states = states
        self.queue = queue
        self.model = model
        self.batch = batch
        self.tag = tag
        self.since = since
        self.run = run
    }

    /// Whether it lets every job through.
    package var isEmpty: Bool { self == JobFilter() }
}
