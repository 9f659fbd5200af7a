import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue pause`
struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Hold a queue's jobs back.",
        discussion: """
            No worker takes a job of it until `resume`; those that run go on. A queue can be paused before it has jobs.

              agent-queue pause nightly
            """)

    @Argument(help: ArgumentHelp("The queue's name.", valueName: "queue"))
    var queue: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        try QueueName.check(queue)
        let session = try Session(global)
        try await session.withStore { store in
            try await store.pause(queue: queue)
            try QueueName.report(queue, isPaused: true, json: format.json)
        }
    }
}
