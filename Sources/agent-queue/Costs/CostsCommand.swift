import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue costs`
struct CostsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "costs",
        abstract: "Show what was paid, by day, model and so on.",
        discussion: """
            Adds up the calls that were paid for, in US dollars. A cost whose price is unknown is counted as unknown, never as $0; `over \
            $1.50` means that some of the calls have no known price. Calls to a server on this machine are free.

            By day, hour, model, queue and key (of the gateway), costs are kept for ever; by batch, tag and run, while their jobs \
            are kept, for 90 days at most. Days and hours are UTC.

              agent-queue costs
              agent-queue costs --by model --since 7d
              agent-queue costs --by day --since 2026-11-01T00:00Z --until 2026-12-01T00:00Z --csv
            """)

    @Option(
        name: .long, help: ArgumentHelp("Add up by day, hour, model, queue, key, batch, tag or run.", valueName: "what"),
        completion: .list(CostGrouping.allCases.map(\.rawValue)), transform: ChoiceOption.parse)
    var by = CostGrouping.day

    @Option(
        name: .long,
        help: ArgumentHelp("Count calls from this time on: a time (2026-12-01T09:00Z) or an age (1h, 2d).", valueName: "time"),
        transform: TimeOption.parse)
    var since: Int64?

    @Option(
        name: .long, help: ArgumentHelp("Count calls before this time: a time or an age.", valueName: "time"), transform: TimeOption.parse)
    var until: Int64?

    @Flag(name: .long, help: "Print CSV.")
    var csv = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if csv, format.json { throw ValidationError("--csv and --json cannot both be given") }
        if let since, let until, since >= until { throw ValidationError("--since must be before --until") }
    }

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let rows = try store.maintenance.costs(by: by, since: since, until: until)
            let report = CostReport(rows, by: by, try store.maintenance.statistics())
            try print(report)
            if !format.json, !csv { for note in report.notes { Diagnostics.say(note) } }
        }
    }

    private func print(_ report: CostReport) throws {
        guard !csv else {
            var output = Output()
            try output.line(report.csvHeader)
            for row in report.rows { try output.line(report.csv(row)) }
            return try output.flush()
        }
        var listing = Listing(
            format,
            [
                Column(by.rawValue.uppercased(), leastWidth: 10), Column("CALLS", isNumber: true), Column("TOKENS IN", isNumber: true),
                Column("OUT", isNumber: true), Column("COST", isNumber: true),
            ])
        for row in report.rows { try listing.add(report.json(row), row: cells(row, report.label(row))) }
        if !format.json, report.rows.count > 1, let total = report.total {
            try listing.add(report.json(total), row: cells(total, "total"))
        }
        try listing.finish()
    }

    private func cells(_ row: CostSummary, _ label: String) -> [Cell] {
        [
            Cell(label), Cell(Figures.count(row.calls)), Cell(Figures.count(row.usage.inputTokens)),
            Cell(Figures.count(row.usage.outputTokens)), Cell(Figures.money(row.cost, unpriced: row.unpricedCalls)),
        ]
    }
}
