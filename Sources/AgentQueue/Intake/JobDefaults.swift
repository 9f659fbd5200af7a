import JobModel

/// What holds for every line of a JSONL file that does not say otherwise: the options of the command that reads it. Each is
/// replaced whole by a line's own (a line's `tags` are all its tags).
public struct JobDefaults: Sendable, Equatable {
    /// A role of the configuration, for `generate` lines.
    public var role: String?
    /// `provider/model`. Its provider also serves OpenAI and Anthropic batch lines whose model names none.
    public var model: String?
    /// For `generate` lines that hold no system or developer message.
    public var system: String?
    /// For `generate` lines.
    public var maxTokens: Int?
    /// For `generate` lines.
    public var temperature: Double?
    /// A JSON Schema, for `generate` lines that say nothing of the answer's form.
    public var schema: JSONValue?
    /// The repeat index.
    public var sample: Int?
    /// The queue.
    public var queue: String?
    /// 1 to 9, lower runs first.
    public var priority: Int?
    /// In ms from now, for lines with neither `delay` nor `at`.
    public var delay: Int64?
    /// Wall clock, ms, for lines with neither `delay` nor `at`.
    public var at: Int64?
    /// In ms from now.
    public var expiresIn: Int64?
    /// 1 to 1,000.
    public var maxAttempts: Int?
    /// In ms.
    public var timeout: Int64?
    /// In US dollars.
    public var budget: Double?
    /// Tags.
    public var tags: [String] = []
    /// The batch.
    public var batch: String?
    /// Jobs that must complete first.
    public var after: [Int64] = []
    /// An object.
    public var metadata: JSONValue?
    /// Whether the cache may serve.
    public var cache = true
    /// In ms, for lines that use the cache.
    public var cacheTTL: Int64?
    /// Whether the provider's batch API may serve; nil is the configuration's.
    public var batchAPI: Bool?
    /// In ms from now, for lines that do not refuse the batch API.
    public var deadline: Int64?

    /// Who is told of each job's end.
    public var onFinish: [String] = []

    /// Where texts and answers are remembered, and memories are looked for, for lines that do either.
    public var namespaces: [String] = []
    /// For `memorize` lines.
    public var importance: Double?
    /// For `memorize` lines.
    public var expiry = MemoryOrder.Expiry.usual
    /// For `generate` lines.
    public var recall: Int?
    /// For `generate` lines.
    public var remembers = false

    /// Makes defaults that say nothing.
    public init() {}

    /// A draft that holds them.
    var draft: JobDraft {
        var draft = JobDraft()
        draft.role = role
        draft.model = model
        draft.system = system
        draft.maxTokens = maxTokens
        draft.temperature = temperature
        draft.schema = schema
        draft.sample = sample
        draft.queue = queue
        draft.priority = priority
        draft.delay = delay
        draft.at = at
        draft.expiresIn = expiresIn
        draft.maxAttempts = maxAttempts
        draft.timeout = timeout
        draft.budget = budget
        draft.tags = tags
        draft.batch = batch
        draft.after = after
        draft.metadata = metadata
        draft.cache = cache
        draft.cacheTTL = cacheTTL
        draft.batchAPI = batchAPI
        draft.deadline = deadline
        draft.onFinish = onFinish
        draft.namespaces = namespaces
        draft.importance = importance
        draft.expiry = expiry
        draft.recall = recall
        draft.remembers = remembers
        return draft
    }
}
