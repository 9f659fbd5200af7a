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

    @OptionGroup var limit: LimitOption

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    private static let page = 100

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            var listing = Listing(
                format,
                [
                    Column("ID", isNumber: true), Column("NAME", leastWidth: 10), Column("STATE", .fixed), Column("CREATED", .fixed),
                    Column("TOOK", isNumber: true), Column("CALLS", isNumber: true), Column("TOKENS", isNumber: true),
                    Column("COST", isNumber: true), Column("REASON", .text, leastWidth: 10),
                ])
            try limit.forEachPage(of: Self.page) { before, count in
                try store.runs.list(states: state?.states ?? [], name: name, before: before, limit: count)
            } id: {
                $0.id
            } _: { runs in
                for run in runs { try listing.add(RunJSON.summary(run), row: Self.cells(run)) }
                try listing.printPart()
            }
            try listing.finish()
        }
    }

    private static func cells(_ run: RunSummary) -> [Cell] {
        let now = Now.milliseconds
        return [
            Cell("\(run.id)"), Cell(DisplayText.line(run.name)), Cell(run.state.rawValue, Style.of(run.state)),
            Cell(Figures.relative(run.createdAt, now: now)),
            Cell(Figures.duration(milliseconds: (run.finalizedAt ?? now) - run.createdAt)),
            Cell("\(Figures.count(run.completed))/\(Figures.count(run.begun))"),
            Cell(Figures.count(run.usage.inputTokens + run.usage.outputTokens)), Cell(Figures.money(run.cost, unpriced: run.unpricedCalls)),
            Cell(DisplayText.line(run.reason ?? "", limit: 200)),
        ]
    }
}
