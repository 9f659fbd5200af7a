import AgentQueue
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

    @Argument(help: ArgumentHelp("Names or numbers.", valueName: "schedule"))
    var schedules: [String]

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            var output = Output()
            for schedule in try ScheduleReference.find(schedules, in: store) {
                let isDone = try await store.pause(schedule: schedule.id)
                try format.json
                    ? output.json(
                        .object([.init("id", .integer(schedule.id)), .init("name", .string(schedule.name)), .init("paused", .bool(isDone))])
                    )
                    : output.line("schedule \(DisplayText.line(schedule.name)) \(isDone ? "is paused" : "is not there any more")")
            }
            try output.flush()
        }
    }
}
