import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import ArgumentParser

/// Filters that select jobs.
struct FilterOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Filter by state, comma-separated: pending, scheduled, available, running, retryable, completed, cancelled, failed.",
            valueName: "state"),
        completion: .list(JobState.allCases.map(\.displayName)),
        transform: StateList.init(argument:))
    var state: StateList?

    @Option(name: .long, help: ArgumentHelp("Filter by queue.", valueName: "queue"))
    var queue: String?

    @Option(name: .long, help: ArgumentHelp("Filter by model.", valueName: "provider/model"), transform: FilterOptions.target)
    var model: String?

    @Option(name: .long, help: ArgumentHelp("Filter by batch.", valueName: "name"))
    var batch: String?

    @Option(name: .long, help: ArgumentHelp("Filter by tag.", valueName: "tag"))
    var tag: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Filter by creation time: a time (2026-12-01T09:00Z) or an age (1h, 2d).", valueName: "time"),
        transform: TimeOption.parse)
    var since: Int64?

    /// Empty if no option was given.
    var filter: JobFilter {
        JobFilter(states: state?.states ?? [], queue: queue, model: model, batch: batch, tag: tag, since: since)
    }

    private static func target(_ text: String) throws -> String {
        guard Target(text) != nil else {
            throw ValidationError("\(InvalidText.quoted(text)) is not a model (use provider/model, such as local/smollm2)")
        }
        return text
    }
}
