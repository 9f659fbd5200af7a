/// Everything the queue knows about a job.
public struct Job: Sendable, Equatable {
    /// The job's id. Ids are never reused.
    public var id: Int64
    /// The user's own name for the job; batch output files carry it.
    public var customID: String?
    /// What it asks of the model.
    public var kind: JobKind
    /// The name of the queue it waits in.
    public var queue: String
    /// The provider and model it is sent to.
    public var target: Target
    /// Where the job is in its life cycle.
    public var state: JobState
    /// 1 to 9; lower runs first.
    public var priority: Int
    /// The number of attempts counted so far, including one that is running; 0 before the first.
    public var attempt: Int
    /// How many attempts it may have, 1 to 1,000.
    public var maxAttempts: Int
    /// The process that runs it; nil unless it is running.
    package var worker: WorkerIdentity?
    /// Wall clock, ms since 1970, like all times stored here.
    package var createdAt: Int64
    /// The earliest time it may run: its creation, unless a later time was asked for. Waiting for the next attempt moves it.
    package var scheduledAt: Int64
    /// When it was last claimed; nil if it never was.
    package var attemptedAt: Int64?
    /// When it ended; nil unless its state is final.
    package var finalizedAt: Int64?
    /// The job is discarded if it has not begun by then; nil if it does not expire.
    package var expiresAt: Int64?
    /// When its cancellation was requested.
    package var cancelRequestedAt: Int64?
    /// In ms.
    package var timeout: Int64?
    /// The name of the batch it belongs to.
    public var batch: String?
    /// The most its calls may cost together, in US dollars; for a job in a batch, the limit for the whole batch. Nil means no limit.
    public var budget: Double?
    /// Tags to find the job by, in alphabetical order.
    public var tags: [String]
    /// The user's own data, a JSON object.
    public var metadata: JSONValue?
    /// While this job has the key, a second job with the same key is refused. Cancelling, discarding or pruning the job frees the key.
    public var uniqueKey: String?
    /// The run it was created for.
    public var runID: Int64?
    /// Its step's place in that run; nil if another job has taken that place.
    public var step: String?
    /// Ids of the jobs it waits for, or waited for.
    public var after: [Int64]
    /// The request, with members in the order given. Requests of earlier versions were stored with all members sorted.
    public var request: JSONValue
    /// Whether a cached answer may serve it and its own answer be cached.
    package var useCache: Bool
    /// How long its answer may be served from the cache, in ms; nil uses the configuration's setting.
    package var cacheTimeToLive: Int64?
    /// Whether it may be sent with others in a provider batch.
    package var usesBatchAPI = false
    /// For a job that waits for a batch, when its answer is wanted.
    package var deadline: Int64?
    /// The cache key (`ModelRequest.digest`).
    package var digest: [UInt8]
    /// The answer; nil until there is one.
    public var result: JobResult?
    /// The errors of its attempts, oldest first.
    public var errors: [JobError]

    package struct WorkerIdentity: Sendable, Equatable {
        /// The worker's id. Ids are never reused.
        public var id: Int64
        /// Its process id; 0 if the worker is no longer registered.
        package var pid: Int64

        package init(id: Int64, pid: Int64) {
            self.id = id
            self.pid = pid
        }
    }

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
    /// Turns texts into vectors.
    case embed
    /// Embeds texts and stores them as memories.
    case memorize

    /// Whether several jobs of this kind can share one provider call.
    package var isBatchable: Bool { self != .generate }
}

/// Where a job is in its life cycle.
///
/// ```
/// pending ─┐                     ┌─> completed
/// scheduled┼─> available ─> running ─> retryable ─> available …
///          └────────────────────┴─> cancelled, discarded
/// ```
public enum JobState: String, Sendable, CaseIterable, Codable {
    /// Waits for other jobs to complete.
    case pending
    /// Waits until a given time.
    case scheduled
    /// Ready to be claimed.
    case available
    /// Claimed by a worker, under a lease.
    case running
    /// An attempt failed; the job waits for the next one.
    case retryable
    /// Answered. Final.
    case completed
    /// Cancelled by a person, or because a job it depends on ended without completing. Final.
    case cancelled
    /// Ended without an answer: its attempts were used up, it failed permanently, or it expired. Users see this state as "failed". Final.
    case discarded

    /// Whether the job has ended. A final state changes only if someone retries or deletes the job. `finalized_at` is set in exactly these
    /// states.
    public var isFinal: Bool {
        switch self {
        case .completed, .cancelled, .discarded: true
        case .pending, .scheduled, .available, .running, .retryable: false
        }
    }
}

extension Job {
    /// Whether the cache may serve the job. The full request of a job that recalls memories is only known when it runs, and the texts of a
    /// `memorize` job must always be stored, so those jobs keep the choice in their requests instead. The cache never serves a job whose
    /// request is damaged: such a job fails when it runs.
    package var usesCache: Bool {
        do {
            return switch kind {
            case .generate: try useCache || MemoryUse(request)?.usesCache == true
            case .embed: useCache
            case .memorize: try MemoryOrder(request).usesCache
            }
        } catch {
            return false
        }
    }
}
