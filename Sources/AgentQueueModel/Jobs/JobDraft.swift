import FoundationEssentials

/// A job as it is asked for, on the command line, in a line of JSONL, in a step of a pipeline or in Swift. Nothing in it is checked until
/// it enters a queue.
public struct JobDraft: Sendable, Equatable {
    /// What it asks; `generate` by default.
    public var kind = JobKind.generate
    /// The user's message. Either this or ``messages``, for `generate`.
    public var prompt: String?
    /// A whole conversation: objects with `role` and `content`, as in OpenAI's chat completions.
    public var messages: [JSONValue]?
    /// Becomes the first message, of role `system`. An empty text is the same as none.
    public var system: String?
    /// The texts to turn into vectors, for `embed`; to remember, for `memorize`.
    public var inputs: [String]?
    /// The role of the configuration that says what the job does not say itself, for `generate`: its system text, target, parameters.
    public var role: String?
    /// The target, `provider/model`; nil is its role's, or else the configuration's default for the kind.
    public var model: String?
    /// The most tokens of an answer, at least 1.
    public var maxTokens: Int?
    /// 0 to 2.
    public var temperature: Double?
    /// Other parameters of the model's API, passed through: `top_p`, `stop`, `tools` and so on. A null is the same as nothing.
    public var parameters: [JSONValue.Member] = []
    /// A JSON Schema that the answer must fit, for `generate`: an object. Becomes `response_format`; not together with one.
    public var schema: JSONValue?
    /// Tells several answers to one question apart, from 1; 0 and nil are the plain question.
    public var sample: Int?
    /// The queue; nil is `default`.
    public var queue: String?
    /// 1 to 9, lower runs first; nil is 5.
    public var priority: Int?
    /// Not before so long from now. Not together with ``at``.
    public var delay: Duration?
    /// Not before this time. A past one is now.
    public var at: Date?
    /// The job fails if it has not begun within so long from now.
    public var expiresIn: Duration?
    /// 1 to 1,000; nil is 5.
    public var maxAttempts: Int?
    /// How long a call may take; nil is the configuration's.
    public var timeout: Duration?
    /// The most that its calls may cost together, in US dollars: more than 0, at most 1,000,000; nil is no bound. Of a job in a batch,
    /// the most that the whole batch may cost.
    public var budget: Double?
    /// Whether its answer is to be kept piece by piece while it comes, for someone who reads along. For `generate`.
    public var isStreamed = false
    /// Refuses a second job of the same key.
    public var uniqueKey: String?
    /// The user's own name for it.
    public var customID: String?
    /// Words to find it by. A second of the same is dropped.
    public var tags: [String] = []
    /// The batch it belongs to.
    public var batch: String?
    /// Ids of the jobs that must complete first.
    public var after: [Int64] = []
    /// The user's own data: an object.
    public var metadata: JSONValue?
    /// Whether a cached answer may serve, and the answer be cached.
    public var cache = true
    /// How long its answer may serve from the cache: 1 s to 3650 days; nil is the configuration's. Not without ``cache``.
    public var cacheTTL: Duration?
    /// Whether it may wait to be sent with others as a batch of the provider's, at a lower price and within a day; nil is what the
    /// configuration says of its target, where such a job can be sent in a batch.
    public var batchAPI: Bool?
    /// Within so long from now its answer is wanted, of a job that uses the batch API: near that, it is called for alone.
    public var deadline: Duration?

    /// Who is to be told of its end: names of notifications of the configuration. A second of the same is dropped.
    public var onFinish: [String] = []
    /// Who is to be told when all jobs of its batch have ended; not without ``batch``.
    public var onBatchFinish: [String] = []

    /// Where texts and answers are remembered, which is one, and where memories are looked for; none is `default`.
    public var namespaces: [String] = []
    /// The user's own name for the one text of a `memorize` job: the next memory of this key takes its place.
    public var key: String?
    /// How much the texts of a `memorize` job matter, 0 to 1; nil is 0.5.
    public var importance: Double?
    /// How long the texts of a `memorize` job are kept.
    package var expiry = MemoryOrder.Expiry.usual
    /// How many memories are put before the last message of a `generate` job, 1 to 100; nil is none.
    public var recall: Int?
    /// Whether the answer of a `generate` job is remembered, in the first of its namespaces.
    public var remembers = false

    /// Makes an empty draft of a kind.
    public init(kind: JobKind = .generate) {
        self.kind = kind
    }
}

extension Date {
    /// The point in time so many ms after 1970.
    package init(milliseconds: Int64) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1_000)
    }

    /// Milliseconds since 1970, the nearest whole number.
    package var milliseconds: Int64 {
        let exact = (timeIntervalSince1970 * 1_000).rounded()
        return Int64(exactly: exact) ?? (exact > 0 ? .max : .min)
    }
}
