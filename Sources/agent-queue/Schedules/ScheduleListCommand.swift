import AgentQueue
import ArgumentParser
import JobModel
import QueueStore

/// `agent-queue schedule list`
struct ScheduleListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the schedules, by name.",
        discussion: """
              agent-queue schedule list
              agent-queue schedule list --json | jq .next_at
            """)

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func run() async throws {
        let session = try Session(global)
        try await session.withExistingStore { store in
            let schedules = try store?.schedules() ?? []
            var output = Output()
            if format.json {
                for schedule in schedules { try output.json(ScheduleJSON.schedule(schedule)) }
            } else {
                try output.lines(Self.lines(schedules, now: Now.milliseconds))
            }
            try output.flush()
        }
    }

    private static func lines(_ schedules: [Schedule], now: Int64) -> [String] {
        var table = Table([
            Column("ID", isNumber: true), Column("NAME", leastWidth: 12), Column("WHEN"), Column("ZONE"), Column("NEXT"),
            Column("FIRED", isNumber: true), Column("LAST"), Column("DOES", leastWidth: 12), Column("ERROR"),
        ])
        for schedule in schedules {
            let work = (try? ScheduledWork(schedule.work).summary) ?? "?"
            table.add([
                Cell("\(schedule.id)"), Cell(DisplayText.line(schedule.name)), Cell(DisplayText.line(schedule.cron)),
                Cell(DisplayText.line(schedule.timeZone)), next(schedule, now: now), Cell(Figures.count(schedule.firings)),
                Cell(last(schedule, now: now)), Cell(DisplayText.line(work, limit: 60)),
                Cell(DisplayText.line(schedule.lastError ?? ""), .bad),
            ])
        }
        return table.takeLines()
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
