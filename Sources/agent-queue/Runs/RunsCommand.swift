import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue runs`
struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs",
        abstract: "List runs, newest first.",
        discussion: """
              agent-queue runs --state running
              agent-queue runs --name coding --json | jq .cost_usd
            """)

    @Option(
        name: .long,
        help: ArgumentHelp("Filter by state, comma-separated: running, completed, failed, cancelled.", valueName: "states"),
        transform: RunStateList.init(argument:))
    var state: RunStateList?

    @Option(name: .long, help: ArgumentHelp("Filter by pipeline or mode.", valueName: "name"))
    var name: String?

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("Maximum number to show.", valueName: "n"))
    var limit = 50

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    private static let page = 100

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit must be at least 1, not \(limit)") }
    }

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            var output = Output()
            var table = Table([
                Column("ID", isNumber: true), Column("NAME", leastWidth: 10), Column("STATE"), Column("CREATED"),
                Column("TOOK", isNumber: true), Column("CALLS", isNumber: true), Column("TOKENS", isNumber: true),
                Column("COST", isNumber: true), Column("REASON", leastWidth: 10),
            ])
            var left = limit
            var before: Int64?
            while left > 0 {
                let runs = try store.runs(states: state?.states ?? [], name: name, before: before, limit: min(left, Self.page))
                for run in runs { try format.json ? output.json(RunJSON.summary(run)) : table.add(Self.cells(run)) }
                if !format.json { try output.lines(table.takeLines()) }
                guard let last = runs.last, runs.count == min(left, Self.page) else { break }
                before = last.id
                left -= runs.count
            }
            try output.flush()
        }
    }

    private static func cells(_ run: RunSummary) -> [Cell] {
        let now = Now.milliseconds
        return [
            Cell("\(run.id)"), Cell(DisplayText.line(run.name)), Cell(run.state.rawValue, Style.of(run.state)),
            Cell(Figures.relative(run.createdAt, now: now)),
            Cell(Figures.duration(milliseconds: (run.finalizedAt ?? now) - run.createdAt)),
            Cell("\(Figures.count(run.completed))/\(Figures.count(run.begun))"),
            Cell(Figures.count(run.usage.inputTokens + run.usage.outputTokens)), Cell(Figures.money(run.cost)),
            Cell(DisplayText.line(run.reason ?? "", limit: 200)),
        ]
    }
}
