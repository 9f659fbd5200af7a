import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue run wait`
struct RunWaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Wait until runs have ended, and show their steps.",
        discussion: """
            Ends with 0 when all have completed, 1 when one has failed or was cancelled, 2 when the time ran out.

              agent-queue run wait 3
              agent-queue run wait 3 4 --timeout 1h --json
            """)

    @Argument(help: ArgumentHelp("The runs' numbers.", valueName: "id"))
    var ids: [Int64]

    @Option(
        name: .long, parsing: .unconditional, help: ArgumentHelp("Wait for so long at most: 5m.", valueName: "duration"),
        transform: DurationOption.parse)
    var timeout: Duration?

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            try await RunWait(ids: ids, timeout: timeout).run(in: store)
            try report(store)
        }
    }

    private func report(_ store: QueueStore) throws {
        var output = Output()
        var table = Table([
            Column("ID", isNumber: true), Column("STATE"), Column("TOOK", isNumber: true), Column("COST", isNumber: true), Column("REASON"),
        ])
        var failed = 0
        for id in ids {
            guard let run = try store.runDetail(id) else { throw CommandFailure(.badInput, "run \(id) was pruned while it was waited for") }
            let summary = run.summary
            if summary.state != .completed { failed += 1 }
            if format.json {
                try output.json(RunJSON.detail(run))
            } else {
                let took = summary.finalizedAt.map { Figures.duration(milliseconds: $0 - summary.createdAt) } ?? ""
                table.add([
                    Cell("\(id)"), Cell(summary.state.rawValue, Style.of(summary.state)), Cell(took), Cell(Figures.money(summary.cost)),
                    Cell(DisplayText.line(summary.reason ?? "", limit: 200)),
                ])
            }
        }
        if !format.json { try output.lines(table.takeLines()) }
        try output.flush()
        if failed > 0 { throw CommandFailure(.jobFailed, "\(failed) of \(Figures.count(ids.count, "run")) ended failed or cancelled") }
    }
}
