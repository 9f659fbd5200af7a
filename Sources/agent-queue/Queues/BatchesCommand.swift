import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue batches`
struct BatchesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batches",
        abstract: "List batches, with progress, failures, cost and ETA.",
        discussion: """
              agent-queue batches
              agent-queue batches show monday
            """,
        subcommands: [BatchesListCommand.self, BatchesShowCommand.self], defaultSubcommand: BatchesListCommand.self)
}

/// `agent-queue batches list`
struct BatchesListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List batches, newest first.",
        discussion: """
            DONE is the share of jobs that have ended. ETA is how long the rest will take at the rate of the last five minutes.

              agent-queue batches list --limit 5
              agent-queue batches list --json | jq 'select(.open > 0)'
            """)

    @OptionGroup var limit: LimitOption
    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    private static let page = 100

    func run() async throws {
        try await Session(global).withStore { store in
            let now = Now.milliseconds
            var listing = Listing(format, Self.columns)
            try limit.forEachPage(of: Self.page) { before, count in
                try store.jobs.batches(limit: count, before: before)
            } id: {
                $0.id
            } _: { batches in
                for batch in batches { try listing.add(BatchJSON.batch(batch, now: now), row: Self.row(batch, now: now)) }
                try listing.printPart()
            }
            try listing.finish()
        }
    }

    private static let columns = [
        Column("BATCH", leastWidth: 12), Column("CREATED", .fixed), Column("JOBS", isNumber: true), Column("DONE", isNumber: true),
        Column("FAILED", isNumber: true), Column("CANCELLED", isNumber: true), Column("COST", isNumber: true),
        Column("ETA", isNumber: true),
    ]

    private static func row(_ batch: BatchSummary, now: Int64) -> [Cell] {
        let progress = batch.progress
        return [
            Cell(DisplayText.line(batch.name)), Cell(Figures.relative(batch.createdAt, now: now)), Cell(Figures.count(progress.jobs)),
            Cell(batch.percentDone, batch.open == 0 ? .good : nil),
            Cell(Figures.count(progress.discarded), progress.discarded == 0 ? .dim : .bad),
            Cell(Figures.count(progress.cancelled), progress.cancelled == 0 ? .dim : .warning), Cell(BatchFigures.cost(batch)),
            Cell(BatchFigures.timeLeft(batch, now: now)),
        ]
    }
}

/// `agent-queue batches show`
struct BatchesShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the jobs, failures and cost of a batch.",
        discussion: """
              agent-queue batches show monday
              agent-queue batches show monday --json | jq .failures
            """)

    @Argument(help: ArgumentHelp("Batch name.", valueName: "name"))
    var name: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        try await Session(global).withStore { store in
            guard let detail = try store.jobs.batchDetail(named: name) else { throw BatchName.notFound(name) }
            let now = Now.milliseconds
            try format.print(BatchJSON.detail(detail, now: now), lines: Self.lines(detail, now: now))
        }
    }

    private static func lines(_ detail: BatchDetail, now: Int64) -> [String] {
        let batch = detail.summary
        var sheet = DetailView()
        sheet.add("batch", DisplayText.line(batch.name))
        sheet.add("created", Figures.time(batch.createdAt, now: now))
        sheet.add("jobs", "\(Figures.count(batch.progress.jobs)), \(batch.percentDone) done")
        for state in JobState.allCases {
            guard let count = detail.states[state], count > 0 else { continue }
            sheet.add(state.displayName, Figures.count(count), Style.of(state))
        }
        for failure in detail.failures {
            sheet.add("failed with", "\(failure.failure.rawValue): \(Figures.count(failure.jobs, "job"))", .bad)
        }
        for target in detail.targets { sheet.add("model", "\(DisplayText.line(target.name)): \(Figures.count(target.jobs, "job"))") }
        sheet.add("tokens", "\(Figures.count(batch.usage.inputTokens)) in, \(Figures.count(batch.usage.outputTokens)) out")
        sheet.add("cost", BatchFigures.cost(batch))
        sheet.add("unknown price", batch.unpricedCalls > 0 ? Figures.count(batch.unpricedCalls, "call") : nil, .warning)
        sheet.add("budget", batch.budget.map { Figures.money($0) })
        sheet.add("ETA", batch.open > 0 ? BatchFigures.timeLeft(batch, now: now) : nil)
        return sheet.lines
    }
}

/// Figures of a batch for people.
private enum BatchFigures {
    static func cost(_ batch: BatchSummary) -> String { Figures.money(batch.knownCost, unpriced: batch.unpricedCalls) }

    /// Empty if it is done; `?` if nothing has finished lately.
    static func timeLeft(_ batch: BatchSummary, now: Int64) -> String {
        guard batch.open > 0 else { return "" }
        return batch.timeLeft(now: now).map { Figures.coarse(seconds: $0 / 1_000) } ?? "?"
    }
}
