import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue schedule remove`
struct ScheduleRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove schedules.",
        discussion: """
            The jobs and runs that they added stay.

              agent-queue schedule remove digest 4
            """)

    @OptionGroup var selection: ScheduleSelection

    func run() async throws {
        try await selection.change("removed", otherwise: "is not there any more") { try await $1.remove(schedule: $0.id) }
    }
}
