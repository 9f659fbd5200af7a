import AgentQueue
import AgentQueueModel
import ArgumentParser

/// What can be said about a job besides what it asks. With `--jsonl`, what holds for lines that do not say otherwise.
struct JobOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("What the job is sent to. Default: `default_model` of the configuration.", valueName: "provider/model"))
    var model: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A role of the configuration: its system text, model and parameters, where nothing else is said.", valueName: "name"))
    var role: String?

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("A system text, before the prompt.", valueName: "text"))
    var system: String?

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("The most tokens of an answer.", valueName: "n"))
    var maxTokens: Int?

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("0 to 2: how freely the model chooses its words.", valueName: "x"))
    var temperature: Double?

    @Option(
        name: .long,
        help: ArgumentHelp("A JSON Schema that the answer must fit; the answer is checked, and asked for again.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var schema: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Ask for another answer to the same prompt: 1, 2 and so on are kept apart in the cache.", valueName: "k"))
    var sample: Int?

    @Option(name: .long, help: ArgumentHelp("The queue it waits in. Default: default.", valueName: "queue"))
    var queue: String?

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("1 to 9; lower runs first. Default: 5.", valueName: "1-9"))
    var priority: Int?

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("Not before so long from now: 10m, 1h30m.", valueName: "duration"))
    var delay: String?

    @Option(name: .long, help: ArgumentHelp("Not before this time: 2026-12-01T09:00Z.", valueName: "time"))
    var at: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Discard it if it has not begun within so long from now.", valueName: "duration"))
    var expiresIn: String?

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("Attempts it may take, 1 to 1000. Default: 5.", valueName: "n"))
    var maxAttempts: Int?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("How long a call may take. Default: `http.request_timeout`.", valueName: "duration"))
    var timeout: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("The most its calls may cost together, in US dollars; with --batch, those of the batch.", valueName: "usd"))
    var budget: Double?

    @Option(name: .long, help: ArgumentHelp("A word to find it by; may be repeated.", valueName: "tag"))
    var tag: [String] = []

    @Option(name: .long, help: ArgumentHelp("The batch it belongs to.", valueName: "name"))
    var batch: String?

    @Option(name: .long, help: ArgumentHelp("A job that must complete first; may be repeated.", valueName: "id"))
    var after: [Int64] = []

    @Option(name: .long, help: ArgumentHelp("Data of your own, kept with the job; may be repeated.", valueName: "key=value"))
    var metadata: [String] = []

    @Flag(name: .long, help: "Neither answer it from the cache nor keep its answer there.")
    var noCache = false

    @Option(
        name: .customLong("cache-ttl"), parsing: .unconditional,
        help: ArgumentHelp("How long its answer may serve from the cache: 1h, 7d. Default: `cache.ttl`.", valueName: "duration"))
    var cacheTTL: String?

    @Flag(
        name: .customLong("batch-api"), inversion: .prefixedNo,
        help: ArgumentHelp(
            "Send it with others through the provider's batch API: at a lower price, and within a day.",
            discussion: "Default: `batch_api` of the model in the configuration."))
    var batchAPI: Bool?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "With --batch-api: when the answer is wanted, from now. Near that, it is called for alone, at the full price: 6h.",
            valueName: "duration"))
    var deadline: String?

    @Option(
        name: .long,
        help: ArgumentHelp("A notification of the configuration that tells of its end; may be repeated.", valueName: "name"))
    var onFinish: [String] = []

    @OptionGroup(title: "Options for memory")
    var memory: JobMemoryOptions

    /// The options as a draft without its request.
    ///
    /// - Throws: `InputError`; `CommandFailure` where the schema's file cannot be used.
    func draft(kind: JobKind) throws -> JobDraft {
        var draft = JobDraft(kind: kind)
        draft.role = role
        draft.model = model
        draft.system = system
        draft.maxTokens = maxTokens
        draft.temperature = temperature
        draft.schema = try schema.map(SchemaFile.read)
        draft.sample = sample
        draft.queue = queue
        draft.priority = priority
        draft.delay = try milliseconds(delay, "--delay")
        draft.at = try at.map { text in try JobText.time(text, named: "--at") }
        draft.expiresIn = try milliseconds(expiresIn, "--expires-in")
        draft.maxAttempts = maxAttempts
        draft.timeout = try milliseconds(timeout, "--timeout")
        draft.budget = budget
        draft.tags = tag
        draft.batch = batch
        draft.after = after
        draft.metadata = try JobText.metadata(metadata)
        draft.cache = !noCache
        draft.cacheTTL = try milliseconds(cacheTTL, "--cache-ttl")
        draft.batchAPI = batchAPI
        draft.deadline = try milliseconds(deadline, "--deadline")
        draft.onFinish = onFinish
        try memory.apply(to: &draft)
        return draft
    }

    /// The options as what holds for every line of a file that does not say otherwise.
    ///
    /// - Throws: `InputError`.
    func defaults() throws -> JobDefaults {
        let draft = try draft(kind: .generate)
        var defaults = JobDefaults()
        defaults.role = draft.role
        defaults.model = draft.model
        defaults.system = draft.system
        defaults.maxTokens = draft.maxTokens
        defaults.temperature = draft.temperature
        defaults.schema = draft.schema
        defaults.sample = draft.sample
        defaults.queue = draft.queue
        defaults.priority = draft.priority
        defaults.delay = draft.delay
        defaults.at = draft.at
        defaults.expiresIn = draft.expiresIn
        defaults.maxAttempts = draft.maxAttempts
        defaults.timeout = draft.timeout
        defaults.budget = draft.budget
        defaults.tags = draft.tags
        defaults.batch = draft.batch
        defaults.after = draft.after
        defaults.metadata = draft.metadata
        defaults.cache = draft.cache
        defaults.cacheTTL = draft.cacheTTL
        defaults.batchAPI = draft.batchAPI
        defaults.deadline = draft.deadline
        defaults.onFinish = draft.onFinish
        defaults.namespaces = draft.namespaces
        defaults.importance = draft.importance
        defaults.expiry = draft.expiry
        defaults.recall = draft.recall
        defaults.remembers = draft.remembers
        return defaults
    }

    private func milliseconds(_ text: String?, _ option: String) throws -> Int64? {
        try text.map { text in try JobText.milliseconds(text, named: option) }
    }
}

/// What a job has to do with memories. With `--jsonl`, what holds for lines that do not say otherwise.
struct JobMemoryOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Put up to so many memories that are near the prompt before it, 1 to 100; `show` says which.", valueName: "n"))
    var recall: Int?

    @Flag(name: .long, help: "Remember the answer, in the (first) namespace.")
    var remember = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Where texts and answers are remembered, and memories are looked for; may be repeated for the latter. Default: default.",
            valueName: "name"), transform: NamespaceOption.parseSeveral)
    var namespace: [NamespaceOption.NameList] = []

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("With --memorize: how much the texts matter, 0 to 1. Default: 0.5.", valueName: "x"))
    var importance: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "With --memorize: how long they are kept: 30d, or never to forget them. Default: `memory.retention`.", valueName: "duration"))
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
            case let text?: .after(try JobText.milliseconds(text, named: "--ttl"))
            }
        draft.recall = recall
        draft.remembers = remember
    }
}
