/// A job as it enters the queue: validated, its request canonical. No later code checks it again.
package struct NewJob: Sendable, Equatable {
    /// What it asks.
    package var kind: JobKind
    /// The queue it waits in; `default` by default.
    package var queue: String
    /// What it is sent to.
    package var target: Target
    /// The canonical request, JSON (`ModelRequest.canonicalBody`).
    package var body: String
    /// SHA-256 over the request and who answers it (`ModelRequest.digest`), 32 bytes: the cache key.
    package var digest: [UInt8]
    /// 1 to 9, lower runs first; 5 by default.
    package var priority: Int
    /// Attempts there may be, 1 to 1,000; 5 by default.
    package var maxAttempts: Int
    /// Not before this time (wall clock, ms); nil is now.
    package var scheduledAt: Int64?
    /// Discarded if not begun by then (wall clock, ms).
    package var expiresAt: Int64?
    /// How long a call may take, in ms; nil is the configuration's `http.request_timeout`.
    package var timeout: Int64?
    /// Refuses a second job of the same key, until this one is cancelled, discarded or pruned.
    package var uniqueKey: String?
    /// The user's own name for it, kept for batch output files.
    package var customID: String?
    /// Words to find it by.
    package var tags: [String]
    /// The batch it belongs to.
    package var batch: String?
    /// Jobs that must complete first.
    package var after: [Int64]
    /// The user's own data, a JSON object.
    package var metadata: JSONValue?
    /// Whether a cached answer may serve, and the answer be cached.
    package var useCache: Bool
    /// How long its answer may serve from the cache, in ms; nil is the configuration's.
    package var cacheTimeToLive: Int64?
    /// For `embed`: how many texts it holds; else 1.
    package var inputs = 1
    /// Whether it may wait to be sent with others as a batch of the provider's, at a lower price.
    package var usesBatchAPI = false
    /// When its answer is wanted (wall clock, ms), of a job that waits for a batch: near it, the job is called for alone.
    package var deadline: Int64?
    /// Whether its answer is to be kept piece by piece while it comes, for someone who reads along.
    package var isStreamed: Bool
    /// The most that its calls may cost together, in US dollars; of a job in a batch, the most that the whole batch may. Nil is
    /// no bound.
    package var budget: Double?

    /// Who is to be told of its end: names of notifications of the configuration.
    package var onFinish: [String] = []
    /// Who is to be told when its batch has ended: names of notifications of the configuration.
    package var onBatchFinish: [String] = []

    /// Makes a job from a validated request; everything else has its default.
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

/// The bounds of what a job may hold. What is longer is refused at the door, with a sentence.
package enum JobLimits {
    /// A prompt, a system text or an embedding input: 16 MiB.
    package static let maxPromptBytes = 16 << 20
    /// A whole request, canonical: 24 MiB.
    package static let maxRequestBytes = 24 << 20
    /// A reply as stored: 64 MiB.
    package static let maxReplyBytes = 64 << 20
    /// Metadata, as JSON: 64 KiB.
    package static let maxMetadataBytes = 64 << 10
    /// Tags on one job.
    package static let maxTags = 32
    /// A tag or a queue's name, in bytes.
    package static let maxNameBytes = 128
    /// A batch's name or a `custom_id`, in bytes.
    package static let maxBatchNameBytes = 256
    /// A unique key, in bytes.
    package static let maxUniqueKeyBytes = 512
    /// Jobs that one job may wait for.
    package static let maxDependencies = 1_000
    /// Texts in one `embed` job.
    package static let maxEmbedInputs = 2_048
    /// Attempts.
    package static let attempts = 1...1_000
    /// The most tokens of an answer.
    package static let maxTokens = 1...10_000_000
    /// How freely a model chooses its words.
    package static let temperatures = 0.0...2.0
    /// Which of several answers to one question; 0 is the plain question.
    package static let samples = 0...1_000_000
    /// What a job's calls, or a batch's, may cost together, in US dollars.
    package static let maxBudget = 1_000_000.0
    /// How long an answer may serve from the cache, as `cache.ttl` of the configuration.
    package static let cacheTTLs: ClosedRange<Duration> = .seconds(1) ... .days(3_650)
    /// Namespaces that one job looks into.
    package static let maxNamespaces = 100
    /// Priorities; lower runs first.
    package static let priorities = 1...9
    /// How far ahead a job may be scheduled, and how long it may take to expire or time out: ten years, in ms.
    package static let maxHorizonMilliseconds: Int64 = 10 * 366 * 86_400_000
}

/// What enqueueing one job came to.
public struct Enqueued: Sendable, Equatable {
    /// The job that now stands for the request: the new one, or the one that already had its unique key.
    public var id: Int64
    /// That job's state.
    public var state: JobState
    /// The same id, if the job was already there.
    public var duplicateOf: Int64?

    /// Makes a receipt.
    package init(id: Int64, state: JobState, duplicateOf: Int64? = nil) {
        self.id = id
        self.state = state
        self.duplicateOf = duplicateOf
    }
}

/// The bounds of what a memory may hold. What is longer is refused at the door, with a sentence.
package enum MemoryLimits {
    /// A text: 1 MiB.
    package static let maxTextBytes = 1 << 20
    /// Metadata, as JSON: 64 KiB.
    package static let maxMetadataBytes = 64 << 10
    /// The name of a namespace, in characters.
    package static let maxNamespaceLength = 128
    /// A key, in characters.
    package static let maxKeyLength = 512
    /// How long a memory may be kept where that is said: a hundred years, in ms.
    package static let maxTimeToLive: Int64 = 36_500 * 86_400_000
}
