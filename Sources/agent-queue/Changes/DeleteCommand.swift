import ArgumentParser
import QueueStore

/// `agent-queue delete`
struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete jobs that have ended, with their answers.",
        discussion: """
            Jobs that others still wait for stay, and so do jobs that have not ended: cancel them first.

              agent-queue delete 17
              agent-queue delete --state cancelled --queue trial
            """)

    @OptionGroup var selection: JobSelection
    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let report = JobChangeReport(verb: .deleted, json: format.json)
            if selection.ids.isEmpty {
                try report.print(count: try await store.delete(where: selection.filters.filter))
            } else {
                try report.print(try await store.delete(ids: selection.ids))
            }
        }
    }
}
