import ArgumentParser
import JobModel
import QueueStore
import Settings

/// `agent-queue resume`
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let a paused queue's jobs run again.",
        discussion: """
              agent-queue resume nightly
            """)

    @Argument(help: ArgumentHelp("The queue's name.", valueName: "queue"))
    var queue: String

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        try QueueName.check(queue)
        let session = try Session(global)
        try await session.withStore { store in
            guard try await store.resume(queue: queue) else {
                throw CommandFailure(.badInput, "there is no queue \(InvalidText.quoted(queue)); 'agent-queue queues' shows what there is")
            }
            try QueueName.report(queue, isPaused: false, json: format.json)
        }
    }
}
