/// A job as it enters the queue: validated, its request canonical. No later code checks it again.
public struct NewJob: Sendable, Equatable {
    /// What it asks.
    public var kind: JobKind
    /// The queue it waits in; `default` by default.
    public var queue: String
    /// What it is sent to.
    public var target: Target
    /// The canonical request, JSON (`ModelRequest.canonicalBody`).
    public var body: String
    /// SHA-256 over the request and who answers it (`ModelRequest.digest`), 32 bytes: the cache key.
    public var digest: [UInt8]
    /// 1 to 9, lower runs first; 5 by default.
    public var priority: Int
    /// Attempts there may be, 1 to 1,000; 5 by default.
    public var maxAttempts: Int
    /// Not before this time (wall clock, ms); nil is now.
    public var scheduledAt: Int64?
    /// Discarded if not begun by then (wall clock, ms).
    public var expiresAt: Int64?
    /// How long a call may take, in ms; nil is the configuration's `http.request_timeout`.
    public var timeout: Int64?
    /// Refuses a second job of the same key, until this one is cancelled, discarded or pruned.
    public var uniqueKey: String?
    /// The user's own name for it, kept for batch output files.
    public var customID: String?
    /// Words to find it by.
    public var tags: [String]
    /// The batch it belongs to.
    public var batch: String?
    /// Jobs that must complete first.
    public var after: [Int64]
    /// The user's own data, a JSON object.
    public var metadata: JSONValue?
    /// Whether a cached answer may serve, and the answer be cached.
    public var useCache: Bool
    /// How long its answer may serve from the cache, in ms; nil is the configuration's.
    public var cacheTimeToLive: Int64?
    /// For `embed`: how many texts it holds; else 1.
    public var inputs = 1
    /// Whether it may wait to be sent with others as a batch of the provider's, at a lower price.
    public var usesBatchAPI = false
    /// When its answer is wanted (wall clock, ms), of a job that waits for a batch: near it, the job is called for alone.
    public var deadline: Int64?
    /// Whether its answer is to be kept piece by piece while it comes, for someone who reads along.
    public var isStreamed: Bool
    /// The most that its calls may cost together, in US dollars; of a job in a batch, the most that the whole batch may. Nil is
    /// no bound.
    public var budget: Double?

    /// Who is to be told of its end: names of notifications of the configuration.
    public var onFinish: [String] = []
    /// Who is to be told when its batch has ended: names of notifications of the configuration.
    public var onBatchFinish: [String] = []

    /// Makes a job from a validated request; everything else has its default.
    public init(
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
