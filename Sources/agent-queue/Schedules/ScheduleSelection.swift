import AgentQueue
import ArgumentParser
import JobModel
import QueueStore

/// The schedules that a command changes, and how it says so.
struct ScheduleSelection: ParsableArguments {
    @Argument(help: ArgumentHelp("Names or numbers.", valueName: "schedule"))
    var schedules: [String]

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    /// Changes each of them, and says what came of it.
    /// - Parameters:
    ///   - done: what it then is: `paused`, also the key in JSON.
    ///   - otherwise: what is said where nothing was to change.
    func change(_ done: String, otherwise: String, _ body: (Schedule, QueueStore) async throws -> Bool) async throws {
        let session = try Session(global)
        try await session.withStore { store in
            var output = Output()
            for schedule in try ScheduleReference.find(schedules, in: store) {
                let isDone = try await body(schedule, store)
                if format.json {
                    try output.json(
                        .object([.init("id", .integer(schedule.id)), .init("name", .string(schedule.name)), .init(done, .bool(isDone))]))
                } else {
                    try output.line("schedule \(DisplayText.line(schedule.name)) \(isDone ? "is \(done)" : otherwise)")
                }
            }
            try output.flush()
        }
    }
}
