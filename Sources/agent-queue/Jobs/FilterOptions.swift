import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser

/// Filters that select jobs. Each may be repeated or hold commas: any of its values.
struct FilterOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Filter by state: pending, scheduled, available, running, retryable, completed, cancelled, failed.", valueName: "state"),
        completion: .list(JobState.allCases.map(\.displayName)),
        transform: StateList.init(argument:))
    var state: [StateList] = []

    @Option(name: .long, help: ArgumentHelp("Filter by queue.", valueName: "queue"))
    var queue: [String] = []

    @Option(
        name: .long, help: ArgumentHelp("Filter by model.", valueName: "provider/model"), transform: FilterOptions.targets)
    var model: [[String]] = []

    @Option(name: .long, help: ArgumentHelp("Filter by batch.", valueName: "name"))
    var batch: [String] = []

    @Option(name: .long, help: ArgumentHelp("Filter by tag.", valueName: "tag"))
    var tag: [String] = []

    @Option(name: .long, help: ArgumentHelp("Filter by metadata.", valueName: "key=value"), transform: MetadataCondition.init(argument:))
    var metadata: [MetadataCondition] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Filter by the class of the last error, such as rate_limited or timed_out.", valueName: "class"),
        completion: .list(FailureClass.allCases.map(\.rawValue)), transform: FilterOptions.errorClasses)
    var errorClass: [[FailureClass]] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Filter by creation time: at or after a time (2026-12-01T09:00Z), or an age (1h, 2d).", valueName: "time"),
        transform: TimeOption.parse)
    var since: [Int64] = []

    @Option(
        name: .long, help: ArgumentHelp("Filter by creation time: before a time, or an age.", valueName: "time"),
        transform: TimeOption.parse)
    var until: [Int64] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Filter by text in the messages or inputs of the request, ignoring case. Reads every job that passes the other filters.",
            valueName: "text"))
    var search: [String] = []

    @Option(name: .long, parsing: .unconditionalSingleValue, help: ArgumentHelp("Filter by run.", valueName: "id"))
    var run: [Int64] = []

    func validate() throws {
        // Two bounds have no "any of them".
        for (option, values) in [("--since", since), ("--until", until)] where values.count > 1 {
            throw ValidationError("\(option) can be given once")
        }
        if let since = since.first, let until = until.first, since >= until { throw ValidationError("--since is not before --until") }
        if search.contains("") { throw ValidationError("--search needs a text") }
    }

    /// Empty if no option was given. Queues and batches are not checked.
    var filter: JobFilter {
        var filter = JobFilter()
        filter.states = state.flatMap(\.states)
        filter.queues = queue.flatMap(Self.parts)
        filter.models = model.flatMap(\.self)
        filter.batches = batch
        filter.tags = tag.flatMap(Self.wholeAndParts)
        for condition in metadata { filter.metadata[condition.key, default: []] += Self.wholeAndParts(condition.value) }
        filter.errorClasses = errorClass.flatMap(\.self)
        (filter.since, filter.until) = (since.first, until.first)
        (filter.texts, filter.runs) = (search, run)
        return filter
    }

    /// The filter, once its queues and batches are known to exist.
    ///
    /// - Throws: `CommandFailure` if one does not, because a misspelt name must not look like an empty result.
    func filter(in store: QueueStore) throws -> JobFilter {
        var filter = filter
        // The name of a batch is often a file's, which may hold commas.
        filter.batches = try batch.flatMap { text in
            try text.contains(",") && store.jobs.batch(named: text) == nil ? Self.parts(text) : [text]
        }
        let unknown = try store.jobs.unknownNames(in: filter)
        if let queue = unknown.queue { throw QueueName.notFound(queue) }
        if let batch = unknown.batch { throw BatchName.notFound(batch) }
        return filter
    }

    private static func parts(_ text: String) -> [String] {
        text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    /// A tag or value may hold commas itself.
    private static func wholeAndParts(_ text: String) -> [String] { text.contains(",") ? [text] + parts(text) : [text] }

    private static func targets(_ text: String) throws -> [String] {
        try parts(text).map { text in
            guard Target(text) != nil else {
                throw ValidationError("\(InvalidText.quoted(text)) is not a model (use provider/model, such as local/smollm2)")
            }
            return text
        }
    }

    private static func errorClasses(_ text: String) throws -> [FailureClass] { try parts(text).map { try ChoiceOption.parse($0) } }
}

/// The value of `--metadata` as a filter.
struct MetadataCondition {
    let key: String
    let value: String

    /// - Throws: `ValidationError`.
    init(argument: String) throws {
        guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else {
            throw ValidationError("\(InvalidText.quoted(argument)) is not of the form key=value")
        }
        key = String(argument[..<equals])
        value = String(argument[argument.index(after: equals)...])
    }
}

/// Errors about batches.
enum BatchName {
    static func notFound(_ name: String) -> CommandFailure {
        CommandFailure(.badInput, "batch \(InvalidText.quoted(name)) not found; run 'agent-queue batches' to see the batches")
    }
}
