import ArgumentParser
import QueueStore

/// `agent-queue retry`
struct RetryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Give cancelled and discarded jobs a new life.",
        discussion: """
            From their first attempt; what was cancelled because of them waits for them again. A job that waits for its next attempt \
            is tried now.

              agent-queue retry 17
              agent-queue retry --state discarded --since 1d
            """)

    @OptionGroup var selection: JobSelection
    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let report = JobChangeReport(verb: .retried, json: format.json)
            if selection.ids.isEmpty {
                try report.print(count: try await store.retry(where: selection.filters.filter))
            } else {
                try report.print(try await store.retry(ids: selection.ids))
            }
        }
    }
}
