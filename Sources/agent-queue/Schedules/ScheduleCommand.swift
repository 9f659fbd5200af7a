import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser

/// `agent-queue schedule`
struct ScheduleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule",
        abstract: "Run jobs and pipelines on a cron schedule.",
        discussion: """
            Schedules fire while a worker is running, each exactly once across all workers. --missed decides what happens to times that \
            were missed.

              agent-queue schedule add '0 7 * * mon-fri' --name digest --time-zone Europe/Lisbon 'What should I read today?'
              agent-queue schedule list
              agent-queue schedule show digest
              agent-queue schedule next '@weekly'
            """,
        subcommands: [
            ScheduleAddCommand.self, ScheduleListCommand.self, ScheduleShowCommand.self, ScheduleNextCommand.self, ScheduleRunCommand.self,
            SchedulePauseCommand.self, ScheduleResumeCommand.self, ScheduleRemoveCommand.self,
        ])
}

/// `agent-queue schedule list`
struct ScheduleListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List schedules by name.",
        discussion: """
              agent-queue schedule list
              agent-queue schedule list --json | jq .next_at
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            let schedules = try store.schedules.list()
            let now = Now.milliseconds
            var listing = Listing(format, Self.columns)
            for schedule in schedules { try listing.add(ScheduleJSON.schedule(schedule), row: Self.row(schedule, now: now)) }
            try listing.finish()
        }
    }

    private static let columns = [
        Column("ID", isNumber: true), Column("NAME", leastWidth: 12), Column("WHEN"), Column("ZONE"), Column("NEXT", .fixed),
        Column("FIRED", isNumber: true), Column("LAST", .text), Column("RUNS", .text, leastWidth: 12), Column("ERROR", .text),
    ]

    private static func row(_ schedule: Schedule, now: Int64) -> [Cell] {
        let work = (try? ScheduledWork(schedule.work).summary) ?? "?"
        return [
            Cell("\(schedule.id)"), Cell(DisplayText.line(schedule.name)), Cell(DisplayText.line(schedule.cron)),
            Cell(DisplayText.line(ScheduleJSON.zone(of: schedule))), next(schedule, now: now), Cell(Figures.count(schedule.firings)),
            Cell(last(schedule, now: now)), Cell(DisplayText.line(work, limit: 60)),
            Cell(DisplayText.line(schedule.lastError ?? ""), .bad),
        ]
    }

    private static func next(_ schedule: Schedule, now: Int64) -> Cell {
        if schedule.pausedAt != nil { return Cell("paused", .warning) }
        guard let next = schedule.nextAt else { return Cell("never", .warning) }
        return Cell(SystemZone(schedule.timeZone)?.text(next) ?? Figures.relative(next, now: now))
    }

    private static func last(_ schedule: Schedule, now: Int64) -> String {
        guard let firedAt = schedule.firedAt else { return "" }
        let what = schedule.lastRun.map { "run \($0)" } ?? schedule.lastJob.map { "job \($0)" }
        return [Figures.relative(firedAt, now: now), what].compactMap(\.self).joined(separator: ", ")
    }
}

/// `agent-queue schedule next`
struct ScheduleNextCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "next",
        abstract: "Print the next times of a cron expression.",
        discussion: """
              agent-queue schedule next '30 2 * * sun' --time-zone Europe/Lisbon --count 10
            """)

    @OptionGroup var when: CronOptions

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("Number of times to print, 1 to 1000.", valueName: "n"))
    var count = 5

    @OptionGroup var format: FormatOptions

    func validate() throws {
        guard (1...1_000).contains(count) else { throw ValidationError("--count must be 1 to 1000, not \(count)") }
    }

    func run() throws {
        let (cron, zone) = (try when.expression(), try when.zone())
        var output = Output()
        var time = Now.milliseconds
        for index in 0..<count {
            guard let next = cron.next(after: time, in: zone) else {
                guard index > 0 else { throw CommandFailure(.usage, "the expression matches no time in the next five years") }
                break
            }
            try format.json
                ? output.json(.object([.init("at", JobJSON.time(next)), .init("local", .string(zone.text(next)))]))
                : output.line("\(zone.text(next)) \(zone.name)")
            time = next
        }
        try output.flush()
    }
}

/// `agent-queue schedule pause`
struct SchedulePauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Pause schedules.",
        discussion: """
            Times that pass while a schedule is paused are not made up for.

              agent-queue schedule pause digest
            """)

    @OptionGroup var selection: ScheduleSelection

    func run() async throws {
        try await selection.change("paused", otherwise: "no longer exists") { try await $1.schedules.pause(schedule: $0.id) }
    }
}

/// `agent-queue schedule resume`
struct ScheduleResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Resume paused schedules.",
        discussion: """
            They fire next at the first matching time from now on.

              agent-queue schedule resume digest
            """)

    @OptionGroup var selection: ScheduleSelection

    func run() async throws {
        try await selection.change("resumed", otherwise: "was not paused") { schedule, store in
            try await store.schedules.resume(schedule: schedule.id, next: try Self.next(of: schedule))
        }
    }

    private static func next(of schedule: Schedule) throws -> Int64 {
        guard let cron = try? CronExpression(schedule.cron), let zone = SystemZone(schedule.timeZone),
            let next = cron.next(after: Now.milliseconds, in: zone)
        else { throw CommandFailure(.badInput, "schedule \(schedule.id) has no next time on this machine") }
        return next
    }
}

/// `agent-queue schedule remove`
struct ScheduleRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove schedules.",
        discussion: """
            Jobs and runs that they started are kept.

              agent-queue schedule remove digest 4
            """)

    @OptionGroup var selection: ScheduleSelection

    func run() async throws {
        try await selection.change("removed", otherwise: "no longer exists") { try await $1.schedules.remove(schedule: $0.id) }
    }
}

/// The schedules that a command changes.
struct ScheduleSelection: ParsableArguments {
    @Argument(help: ArgumentHelp("Schedule names or IDs.", valueName: "schedule"))
    var schedules: [String]

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    /// Changes each of them and prints the result.
    /// - Parameters:
    ///   - done: What it then is, such as `paused`; also the JSON key.
    ///   - otherwise: What to print if there was nothing to change.
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
                    try output.line("schedule \(DisplayText.line(schedule.name)) \(isDone ? done : otherwise)")
                }
            }
            try output.flush()
        }
    }
}

/// A reference to a schedule by ID or name.
enum ScheduleReference {
    /// Whether it is a valid name. Digits alone would be an ID.
    static func isName(_ name: String) -> Bool {
        (1...128).contains(name.unicodeScalars.count) && !name.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            && name.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    }

    /// - Throws: `CommandFailure` if one does not exist.
    static func find(_ references: [String], in store: QueueStore) throws -> [Schedule] {
        try references.map { reference in
            let found = try Int64(reference).flatMap { try store.schedules.get($0) } ?? store.schedules.get(named: reference)
            if let found { return found }
            throw notFound(reference, among: try store.schedules.list().map(\.name))
        }
    }

    static func notFound(_ reference: String, among names: [String]) -> CommandFailure {
        CommandFailure(.badInput, "schedule \(InvalidText.quoted(reference)) not found\(Suggestion.hint(for: reference, in: names))")
    }
}
