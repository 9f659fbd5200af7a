import AgentQueueModel
import FoundationEssentials

/// What holds for every line of a JSONL file that does not say otherwise: the options of the command that reads it. Each is
/// replaced whole by a line's own (a line's `tags` are all its tags).
package struct JobDefaults: Sendable, Equatable {
    /// A role of the configuration, for `generate` lines.
    package var role: String?
    /// `provider/model`. Its provider also serves OpenAI and Anthropic batch lines whose model names none.
    package var model: String?
    /// For `generate` lines that hold no system or developer message.
    package var system: String?
    /// For `generate` lines.
    package var maxTokens: Int?
    /// For `generate` lines.
    package var temperature: Double?
    /// A JSON Schema, for `generate` lines that say nothing of the answer's form.
    package var schema: JSONValue?
    /// The repeat index.
    package var sample: Int?
    /// The queue.
    package var queue: String?
    /// 1 to 9, lower runs first.
    package var priority: Int?
    /// In ms from now, for lines with neither `delay` nor `at`.
    package var delay: Duration?
    /// Wall clock, ms, for lines with neither `delay` nor `at`.
    package var at: Date?
    /// In ms from now.
    package var expiresIn: Duration?
    /// 1 to 1,000.
    package var maxAttempts: Int?
    /// In ms.
    package var timeout: Duration?
    /// In US dollars.
    package var budget: Double?
    /// Tags.
    package var tags: [String] = []
    /// The batch.
    package var batch: String?
    /// Jobs that must complete first.
    package var after: [Int64] = []
    /// An object.
    package var metadata: JSONValue?
    /// Whether the cache may serve.
    package var cache = true
    /// In ms, for lines that use the cache.
    package var cacheTTL: Duration?
    /// Whether the provider's batch API may serve; nil is the configuration's.
    package var batchAPI: Bool?
    /// In ms from now, for lines that do not refuse the batch API.
    package var deadline: Duration?

    /// Who is told of each job's end.
    package var onFinish: [String] = []

    /// Where texts and answers are remembered, and memories are looked for, for lines that do either.
    package var namespaces: [String] = []
    /// For `memorize` lines.
    package var importance: Double?
    /// For `memorize` lines.
    package var expiry = MemoryOrder.Expiry.usual
    /// For `generate` lines.
    package var recall: Int?
    /// For `generate` lines.
    package var remembers = false

    /// Makes defaults that say nothing.
    package init() {}

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
