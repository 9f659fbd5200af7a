import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue cache clear`
struct CacheClearCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear",
        abstract: "Forget every cached answer.",
        discussion: """
            Safe beside live workers. The answers of finished jobs stay with their jobs.

              agent-queue cache clear
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let deleted = try await store.clearCache()
            var output = Output()
            if format.json {
                try output.json(.object([.init("deleted", .integer(Int64(deleted)))]))
            } else {
                try output.line("\(deleted) cached \(deleted == 1 ? "answer" : "answers") deleted")
            }
            try output.flush()
        }
    }
}
