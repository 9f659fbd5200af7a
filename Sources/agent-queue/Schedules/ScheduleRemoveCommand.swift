import AgentQueue
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

    @Argument(help: ArgumentHelp("Names or numbers.", valueName: "schedule"))
    var schedules: [String]

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            var output = Output()
            for schedule in try ScheduleReference.find(schedules, in: store) {
                let isDone = try await store.remove(schedule: schedule.id)
                try format.json
                    ? output.json(
                        .object([
                            .init("id", .integer(schedule.id)), .init("name", .string(schedule.name)), .init("removed", .bool(isDone)),
                        ]))
                    : output.line("schedule \(DisplayText.line(schedule.name)) \(isDone ? "is removed" : "is not there any more")")
            }
            try output.flush()
        }
    }
}
