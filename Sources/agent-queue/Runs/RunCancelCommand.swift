import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue run cancel`
struct RunCancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel runs and their jobs.",
        discussion: """
            Jobs that wait end at once; those that run are told, wherever they run, within a second.

              agent-queue run cancel 3
            """)

    @Argument(help: ArgumentHelp("The runs' numbers.", valueName: "id"))
    var ids: [Int64]

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            var report = RunChangeReport(json: format.json)
            let before = try store.runStates(of: ids)
            for id in ids {
                guard let state = try await store.cancel(run: id) else {
                    try report.add(id, .notFound)
                    continue
                }
                let wasOpen = before[id]?.isFinal == false && state == .cancelled
                try report.add(id, wasOpen ? .changed(state, "cancelled") : .unchanged(state))
            }
            // The jobs of a run with very many go in slices; any worker goes on with it, should this end here.
            while try await store.sweepRuns() {}
            try report.end()
        }
    }
}
