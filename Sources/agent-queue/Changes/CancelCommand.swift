import ArgumentParser
import QueueStore

/// `agent-queue cancel`
struct CancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel jobs.",
        discussion: """
            Jobs that wait end at once; those that run are told, wherever they run, within a second.

              agent-queue cancel 17 18
              agent-queue cancel --batch monday
            """)

    @OptionGroup var selection: JobSelection
    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let report = JobChangeReport(verb: .cancelled, json: format.json)
            if selection.ids.isEmpty {
                try report.print(count: try await store.cancel(where: selection.filters.filter))
            } else {
                try report.print(try await store.cancel(ids: selection.ids))
            }
        }
    }
}
