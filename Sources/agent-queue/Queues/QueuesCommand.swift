import ArgumentParser
import QueueStore

/// `agent-queue queues`
struct QueuesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queues",
        abstract: "List the queues and their jobs' counts.",
        discussion: """
              agent-queue queues
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let queues = try store.queues()
            var output = Output()
            if format.json {
                for queue in queues { try output.json(StatsJSON.queue(queue)) }
            } else {
                try output.lines(QueueTable.lines(queues))
            }
            try output.flush()
        }
    }
}
