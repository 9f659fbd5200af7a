import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import ArgumentParser

/// Which jobs a command means, by what they are.
struct FilterOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Jobs in this state; several by commas: pending, scheduled, available, running, retryable, completed, cancelled, discarded.",
            valueName: "state"),
        completion: .list(JobState.allCases.map(\.rawValue)),
        transform: StateList.init(argument:))
    var state: StateList?

    @Option(name: .long, help: ArgumentHelp("Jobs of this queue.", valueName: "queue"))
    var queue: String?

    @Option(name: .long, help: ArgumentHelp("Jobs for this target.", valueName: "provider/model"), transform: FilterOptions.target)
    var model: String?

    @Option(name: .long, help: ArgumentHelp("Jobs of this batch.", valueName: "name"))
    var batch: String?

    @Option(name: .long, help: ArgumentHelp("Jobs with this tag.", valueName: "tag"))
    var tag: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Jobs created since then: a time (2026-12-01T09:00Z) or how long ago (1h, 2d).", valueName: "time"),
        transform: TimeOption.parse)
    var since: Int64?

    /// The filter; empty where nothing was given.
    var filter: JobFilter {
        JobFilter(states: state?.states ?? [], queue: queue, model: model, batch: batch, tag: tag, since: since)
    }

    private static func target(_ text: String) throws -> String {
        guard Target(text) != nil else {
            throw ValidationError("\(InvalidText.quoted(text)) is not a target (write provider/model, such as local/smollm2)")
        }
        return text
    }
}

/// Which jobs a command changes: by number, or by what they are.
struct JobSelection: ParsableArguments {
    @Argument(help: ArgumentHelp("The jobs' numbers.", valueName: "id"))
    var ids: [Int64] = []

    @OptionGroup(title: "Or every job that fits")
    var filters: FilterOptions

    func validate() throws {
        let isFiltered = !filters.filter.isEmpty
        if ids.isEmpty, !isFiltered {
            throw ValidationError("say which jobs: by number, or with --batch, --state, --queue, --model, --tag or --since")
        }
        if !ids.isEmpty, isFiltered {
            throw ValidationError("jobs are chosen by number or by filters, not by both")
        }
    }
}
