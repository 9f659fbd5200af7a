import FoundationEssentials

/// A job as requested on the command line, in a line of JSONL, in a pipeline step or in Swift. It is not checked until it is enqueued.
public struct JobDraft: Sendable, Equatable {
    /// What the job asks of the model; `generate` by default.
    public var kind = JobKind.generate
    /// The user's message, for `generate`. Set either this or ``messages``.
    public var prompt: String?
    /// A whole conversation, for `generate`: objects with `role` and `content`, as in OpenAI's chat completions.
    public var messages: [JSONValue]?
    /// The system text: it becomes the first message, with the role `system`. An empty text counts as none.
    public var system: String?
    /// The texts to turn into vectors, for `embed`, or to remember, for `memorize`.
    public var inputs: [String]?
    /// Texts to turn into vectors that were given as lists of tokens, in place of ``inputs``.
    package var tokenInputs: [JSONValue] = []
    /// A role from the configuration, for `generate`. It supplies what the job leaves open: the system text, the target and the
    /// parameters.
    public var role: String?
    /// The target, `provider/model`. Nil uses the role's target, or else the configuration's default for the kind.
    public var model: String?
    /// The maximum number of tokens in the answer, at least 1.
    public var maxTokens: Int?
    /// The sampling temperature, 0 to 2.
    public var temperature: Double?
    /// Other parameters of the model's API, passed through as they are: `top_p`, `stop`, `tools` and so on. A null counts as absent.
    public var parameters: [JSONValue.Member] = []
    /// A JSON Schema, as an object, that the answer must match, for `generate`. It becomes `response_format`, so the two cannot be
    /// combined.
    public var schema: JSONValue?
    /// Distinguishes several answers to the same question, from 1. 0 and nil both mean the plain question.
    public var sample: Int?
    /// The queue; nil means `default`.
    public var queue: String?
    /// 1 to 9; lower runs first. Nil means 5.
    public var priority: Int?
    /// How long to wait before the job may run. It cannot be combined with ``at``.
    public var delay: Duration?
    /// The earliest time the job may run. A time in the past means now.
    public var at: Date?
    /// The job fails if it has not begun within this time from now.
    public var expiresIn: Duration?
    /// How many attempts the job may have, 1 to 1,000; nil means 5.
    public var maxAttempts: Int?
    /// How long one call may take; nil uses the configuration's timeout.
    public var timeout: Duration?
    /// The most its calls may cost together, in US dollars: more than 0, at most 1,000,000. Nil means no limit. For a job in a batch, the
    /// limit applies to the whole batch.
    public var budget: Double?
    /// Whether the answer is kept piece by piece as it arrives, so that someone can follow it. For `generate`.
    public var isStreamed = false
    /// A key of the job's own: a second job with the same key is refused.
    public var uniqueKey: String?
    /// The user's own name for the job.
    public var customID: String?
    /// Tags to find the job by. Duplicates are dropped.
    public var tags: [String] = []
    /// The name of the batch it belongs to.
    public var batch: String?
    /// Ids of the jobs that must complete first.
    public var after: [Int64] = []
    /// The user's own data: a JSON object.
    public var metadata: JSONValue?
    /// Whether a cached answer may serve the job and its own answer be cached.
    public var cache = true
    /// How long the answer may be served from the cache: 1 second to 3,650 days. Nil uses the configuration's setting. It needs ``cache``.
    public var cacheTTL: Duration?
    /// Whether the job may wait to be sent with others in a provider batch, which costs less and takes up to a day. Nil uses what the
    /// configuration says about its target, provided that such a job can be sent in a batch.
    public var batchAPI: Bool?
    /// For a job that uses the batch API, how soon its answer is wanted, from now. When that time is near, the job is called on its own.
    public var deadline: Duration?

    /// The configured notifications, by name, to send when the job ends. Duplicates are dropped.
    public var onFinish: [String] = []
    /// The configured notifications, by name, to send when all jobs of the batch have ended. They need ``batch``.
    public var onBatchFinish: [String] = []
    /// The configured notifications, by name, to send if the job fails. Duplicates are dropped.
    public var onFailure: [String] = []
    /// The configured notifications, by name, to send when all jobs of the batch have ended, if one of them has failed. They need
    /// ``batch``.
    public var onBatchFailure: [String] = []

    /// The namespaces to use: the one where texts and answers are remembered, or those that memories are recalled from. Empty means
    /// `default`.
    public var namespaces: [String] = []
    /// The user's own name for the single text of a `memorize` job. The next memory with the same key replaces it.
    public var key: String?
    /// The importance of a `memorize` job's texts, 0 to 1; nil means 0.5.
    public var importance: Double?
    /// How long the texts of a `memorize` job are kept.
    package var expiry = MemoryOrder.Expiry.usual
    /// How many memories to put before the last message of a `generate` job, 1 to 100; nil means none.
    public var recall: Int?
    /// Whether to remember the answer of a `generate` job, in the first of its namespaces.
    public var remembers = false

    /// Creates an empty draft.
    public init(kind: JobKind = .generate) {
        self.kind = kind
    }
}

extension Date {
    package init(milliseconds: Int64) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1_000)
    }

    /// Milliseconds since 1970, rounded to the nearest whole number.
    package var milliseconds: Int64 {
        let exact = (timeIntervalSince1970 * 1_000).rounded()
        return Int64(exactly: exact) ?? (exact > 0 ? .max : .min)
    }
}
