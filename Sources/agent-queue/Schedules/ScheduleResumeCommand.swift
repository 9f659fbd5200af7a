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

    @OptionGroup var selection: ScheduleSelection

    func run() async throws {
        try await selection.change("resumed", otherwise: "was not paused") { schedule, store in
            try await store.resume(schedule: schedule.id, next: try Self.next(of: schedule))
        }
    }

    private static func next(of schedule: Schedule) throws -> Int64 {
        guard let cron = try? CronExpression(schedule.cron), let zone = SystemZone(schedule.timeZone),
            let next = cron.next(after: Now.milliseconds, in: zone)
        else { throw CommandFailure(.badInput, "no time fits schedule \(schedule.id) on this machine") }
        return next
    }
}
