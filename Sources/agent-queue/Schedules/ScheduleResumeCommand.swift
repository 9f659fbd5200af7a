import AgentQueue
import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue schedule resume`
struct ScheduleResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let paused schedules fire again.",
        discussion: """
            At the next time that their expressions mean from now on.

              agent-queue schedule resume digest
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
                let isDone = try await store.resume(schedule: schedule.id, next: try Self.next(of: schedule))
                try format.json
                    ? output.json(
                        .object([
                            .init("id", .integer(schedule.id)), .init("name", .string(schedule.name)), .init("resumed", .bool(isDone)),
                        ]))
                    : output.line("schedule \(DisplayText.line(schedule.name)) \(isDone ? "is resumed" : "was not paused")")
            }
            try output.flush()
        }
    }

    private static func next(of schedule: Schedule) throws -> Int64 {
        guard let cron = try? CronExpression(schedule.cron), let zone = SystemZone(schedule.timeZone),
            let next = cron.next(after: Now.milliseconds, in: zone)
        else { throw CommandFailure(.badInput, "no time fits schedule \(schedule.id) on this machine") }
        return next
    }
}
