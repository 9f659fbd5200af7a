import AgentQueue
import AgentQueueModel
import ArgumentParser

/// What can be said about a job besides what it asks, as flags: those of ``JobOption``. With `--jsonl`, what holds for lines that do not
/// say otherwise.
struct JobFlags: ParsableArguments {
    @OptionGroup var asking: AskingFlags

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Sample number: the same prompt with another number gets its own answer and cache entry.", valueName: "k"))
    var sample: Int?

    @Option(name: .long, help: ArgumentHelp("Queue. Default: default.", valueName: "queue"))
    var queue: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Priority, 1 to 9; lower runs first, so a job at 9 waits for as long as there are jobs at 1. Default: 5.", valueName: "1-9"))
    var priority: Int?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Run no earlier than this long from now, such as 10m or 1h30m.", valueName: "duration"))
    var delay: String?

    @Option(name: .long, help: ArgumentHelp("Run no earlier than this time, such as 2026-12-01T09:00Z.", valueName: "time"))
    var at: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Fail the job if it has not started within this long from now.", valueName: "duration"))
    var expiresIn: String?

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("Maximum number of attempts, 1 to 1000. Default: 5.", valueName: "n"))
    var maxAttempts: Int?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Timeout of each attempt. Default: `http.request_timeout`.", valueName: "duration"))
    var timeout: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Maximum total cost of the job's calls in US dollars; with --batch, of the whole batch.", valueName: "usd"))
    var budget: Double?

    @Option(name: .long, help: ArgumentHelp("Add a tag. Repeatable.", valueName: "tag"))
    var tag: [String] = []

    @Option(name: .long, help: ArgumentHelp("Add the job to this batch.", valueName: "name"))
    var batch: String?

    @Option(name: .long, help: ArgumentHelp("Wait for this job to complete first; cancelled if it fails. Repeatable.", valueName: "id"))
    var after: [Int64] = []

    @Option(name: .long, help: ArgumentHelp("Add metadata. Repeatable.", valueName: "key=value"))
    var metadata: [String] = []

    @Option(
        name: .customLong("cache-ttl"), parsing: .unconditional,
        help: ArgumentHelp("How long to cache the answer, such as 1h or 7d. Default: `cache.ttl`.", valueName: "duration"))
    var cacheTTL: String?

    @Flag(
        name: .customLong("batch-api"), inversion: .prefixedNo,
        help: ArgumentHelp(
            "Use the provider's batch API: cheaper, with an answer within 24 hours.",
            discussion: "Default: the model's `batch_api` in the configuration."))
    var batchAPI: Bool?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "With --batch-api: make a direct call at full price if there is no answer this long from now, such as 6h.",
            valueName: "duration"))
    var deadline: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Send this notification when the job finishes. Repeatable.", valueName: "name"))
    var onFinish: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Send this notification if the job fails. Repeatable.", valueName: "name"))
    var onFailure: [String] = []

    @OptionGroup(title: "Memory options")
    var memory: JobMemoryFlags

    /// The flags as a draft that asks nothing yet: of one job, or of what holds for the lines of a file.
    ///
    /// - Throws: `InputError`; `CommandFailure` where the schema's file cannot be used.
    func draft(kind: JobKind = .generate) throws -> JobDraft {
        var draft = JobDraft(kind: kind)
        try asking.apply(to: &draft)
        draft.sample = sample
        draft.queue = queue
        draft.priority = priority
        draft.delay = try duration(delay, "--delay")
        draft.at = try at.map { text in try JobText.time(text, named: "--at") }
        draft.expiresIn = try duration(expiresIn, "--expires-in")
        draft.maxAttempts = maxAttempts
        draft.timeout = try duration(timeout, "--timeout")
        draft.budget = budget
        draft.tags = tag
        draft.batch = batch
        draft.after = after
        draft.metadata = try JobText.metadata(metadata)
        draft.cacheTTL = try duration(cacheTTL, "--cache-ttl")
        draft.batchAPI = batchAPI
        draft.deadline = try duration(deadline, "--deadline")
        draft.onFinish = onFinish
        draft.onFailure = onFailure
        try memory.apply(to: &draft)
        return draft
    }

    private func duration(_ text: String?, _ option: String) throws -> Duration? {
        try text.map { text in try JobText.duration(text, named: option) }
    }
}

/// How a model is asked: the flags of every command that asks one.
struct AskingFlags: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("Model to use. Default: `default_model` in the configuration.", valueName: "provider/model"))
    var model: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Use a role from the configuration for the system prompt, model and parameters that are not given here.", valueName: "name"))
    var role: String?

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("System prompt.", valueName: "text"))
    var system: String?

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("Maximum number of tokens in the answer.", valueName: "n"))
    var maxTokens: Int?

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("Sampling temperature, 0 to 2.", valueName: "x"))
    var temperature: Double?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "JSON Schema for the answer, or its fields: 'name, age int'. An answer that does not match is requested again.",
            valueName: "file|fields"),
        completion: .file(extensions: ["json"]))
    var schema: String?

    @Flag(name: .long, help: "Do not read from or write to the cache.")
    var noCache = false

    /// Puts the options into a draft.
    ///
    /// - Throws: `CommandFailure` where the schema's file cannot be used.
    func apply(to draft: inout JobDraft) throws {
        draft.role = role
        draft.model = model
        draft.system = system
        draft.maxTokens = maxTokens
        draft.temperature = temperature
        draft.schema = try schema.map(SchemaOption.read)
        draft.cache = !noCache
    }
}

/// What a job has to do with memories. With `--jsonl`, what holds for lines that do not say otherwise.
struct JobMemoryFlags: ParsableArguments {
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Add up to this many relevant memories to the prompt, 1 to 100; `show` lists them.", valueName: "n"))
    var recall: Int?

    @Flag(name: .long, help: "Store the answer as a memory in the first --namespace.")
    var remember = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Namespace for storing and recalling memories; repeatable for --recall. Default: default.",
            valueName: "name"), transform: NamespaceOption.parseSeveral)
    var namespace: [NamespaceOption.NameList] = []

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("With --memorize: importance, 0 to 1. Default: 0.5.", valueName: "x"))
    var importance: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "With --memorize: how long to keep the memory, such as 30d, or never for no limit. Default: `memory.retention`.",
            valueName: "duration"))
    var ttl: String?

    /// Puts the options into a draft.
    ///
    /// - Throws: `InputError`.
    func apply(to draft: inout JobDraft) throws {
        draft.namespaces = namespace.flatMap(\.names)
        draft.importance = importance
        draft.expiry =
            switch ttl {
            case nil: .usual
            case "never": .never
            case let text?: .after(try JobText.duration(text, named: "--ttl"))
            }
        draft.recall = recall
        draft.remembers = remember
    }
}
