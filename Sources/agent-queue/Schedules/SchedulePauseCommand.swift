import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue schedule pause`
struct SchedulePauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Keep schedules from firing.",
        discussion: """
            Until `resume`. What would have been due meanwhile is not made up for.

              agent-queue schedule pause digest
            """)

    @OptionGroup var selection: ScheduleSelection

    func run() async throws {
        try await selection.change("paused", otherwise: "is not there any more") { try await $1.pause(schedule: $0.id) }
    }
}
