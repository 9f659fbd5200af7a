/// A job as it enters the queue: validated, with the request as it is sent. No later code checks it again.
package struct NewJob: Sendable, Equatable {
    /// What it asks of the model.
    package var kind: JobKind
    /// The queue it waits in; `default` by default.
    package var queue: String
    package var target: Target
    /// The request as JSON (`ModelRequest.storedBody`).
    package var body: String
    /// The request as its client wrote it; nil if ``body`` is all there is.
    package var native: NativeRequest?
    /// SHA-256 of the request and of who answers it (`ModelRequest.digest`), 32 bytes: the cache key.
    package var digest: [UInt8]
    /// 1 to 9; lower runs first. 5 by default.
    package var priority: Int
    /// How many attempts it may have, 1 to 1,000; 5 by default.
    package var maxAttempts: Int
    /// The earliest time it may run (wall clock, ms); nil means now.
    package var scheduledAt: Int64?
    /// Discarded if it has not begun by then (wall clock, ms).
    package var expiresAt: Int64?
    /// How long a call may take, in ms; nil uses `http.request_timeout` from the configuration.
    package var timeout: Int64?
    /// A second job with the same key is refused until this one is cancelled, discarded or pruned.
    package var uniqueKey: String?
    /// The user's own name for it; batch output files carry it.
    package var customID: String?
    package var tags: [String]
    package var batch: String?
    /// Ids of the jobs that must complete first.
    package var after: [Int64]
    /// The user's own data, a JSON object.
    package var metadata: JSONValue?
    /// Whether a cached answer may serve it and its own answer be cached.
    package var useCache: Bool
    /// How long its answer may be served from the cache, in ms; nil uses the configuration's setting. For a client's own request that does
    /// not use the cache: how long its answer is kept all the same; nil for not at all.
    package var cacheTimeToLive: Int64?
    /// The oldest cached answer that may serve it, in ms; nil for any.
    package var maxCacheAge: Int64?
    /// For `embed`, the number of texts; otherwise 1.
    package var inputs = 1
    /// Whether it may wait to be sent with others in a provider batch, at a lower price.
    package var usesBatchAPI = false
    /// For a job that waits for a batch, when its answer is wanted (wall clock, ms). When that time is near, it is called on its own.
    package var deadline: Int64?
    /// Whether its answer is kept piece by piece as it arrives, so that someone can follow it.
    package var isStreamed: Bool
    /// The most its calls may cost together, in US dollars; for a job in a batch, the limit for the whole batch. Nil means no limit.
    package var budget: Double?

    /// The configured notifications, by name, to send when it ends.
    package var onFinish: [String] = []
    /// The configured notifications, by name, to send when its batch has ended.
    package var onBatchFinish: [String] = []
    /// The configured notifications, by name, to send if it fails.
    package var onFailure: [String] = []
    /// The configured notifications, by name, to send when its batch has ended with a failed job.
    package var onBatchFailure: [String] = []

    /// Creates a job from a validated request, with defaults for everything else.
    package init(
        kind: JobKind, target: Target, body: String, digest: [UInt8], queue: String = "default", isStreamed: Bool = false,
        budget: Double? = nil
    ) {
        self.kind = kind
        self.queue = queue
        self.target = target
        self.body = body
        self.digest = digest
        priority = 5
        maxAttempts = 5
        tags = []
        after = []
        useCache = true
        self.isStreamed = isStreamed
        self.budget = budget
    }
}

/// The limits of what a job may hold. Anything beyond them is refused when the job is enqueued, with a sentence that says why.
package enum JobLimits {
    /// For a prompt, a system text or an embedding input: 16 MiB.
    package static let maxPromptBytes = 16 << 20
    /// For a whole request: 32 MiB.
    package static let maxRequestBytes = 32 << 20
    /// For a stored reply: 64 MiB.
    package static let maxReplyBytes = 64 << 20
    /// For metadata, as JSON: 64 KiB.
    package static let maxMetadataBytes = 64 << 10
    /// Tags on one job.
    package static let maxTags = 32
    /// For a tag or the name of a queue, in bytes.
    package static let maxNameBytes = 128
    /// For the name of a batch or a `custom_id`, in bytes.
    package static let maxBatchNameBytes = 256
    /// A unique key, in bytes.
    package static let maxUniqueKeyBytes = 512
    /// Jobs that one job may wait for.
    package static let maxDependencies = 1_000
    /// Texts in one `embed` job.
    package static let maxEmbedInputs = 2_048
    package static let attempts = 1...1_000
    /// For the maximum number of tokens in an answer.
    package static let maxTokens = 1...10_000_000
    /// For the sampling temperature.
    package static let temperatures = 0.0...2.0
    /// For the number that distinguishes several answers to one question; 0 is the plain question.
    package static let samples = 0...1_000_000
    /// For the total cost of the calls of a job or a batch, in US dollars.
    package static let maxBudget = 1_000_000.0
    /// How long an answer may be served from the cache; the same range as `cache.ttl` in the configuration.
    package static let cacheTTLs: ClosedRange<Duration> = .seconds(1) ... .days(3_650)
    /// Namespaces that one job may use.
    package static let maxNamespaces = 100
    package static let priorities = 1...9
    /// How far ahead a job may be scheduled, and how long it may take to expire or time out: ten years, in ms.
    package static let maxHorizonMilliseconds: Int64 = 10 * 366 * 86_400_000
}

/// The receipt for one enqueued job.
public struct Enqueued: Sendable, Equatable {
    /// The job that now stands for the request: the new one, or the one that already had its unique key.
    public var id: Int64
    /// That job's state.
    public var state: JobState
    /// The same id if the job already existed; nil if it is new.
    public var duplicateOf: Int64?

    package init(id: Int64, state: JobState, duplicateOf: Int64? = nil) {
        self.id = id
        self.state = state
        self.duplicateOf = duplicateOf
    }
}

/// The limits of what a memory may hold. Anything beyond them is refused before it is stored, with a sentence that says why.
package enum MemoryLimits {
    /// For a text: 1 MiB.
    package static let maxTextBytes = 1 << 20
    /// For metadata, as JSON: 64 KiB.
    package static let maxMetadataBytes = 64 << 10
    /// For the name of a namespace, in characters.
    package static let maxNamespaceLength = 128
    /// For a key, in characters.
    package static let maxKeyLength = 512
    /// The longest time to live that may be asked for: a hundred years, in ms.
    package static let maxTimeToLive: Int64 = 36_500 * 86_400_000
}
