import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser

/// `agent-queue schedule show`
struct ScheduleShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a schedule with its next times and what it last added.",
        discussion: """
              agent-queue schedule show digest
              agent-queue schedule show digest --json | jq .latest_firings
            """)

    @Argument(help: ArgumentHelp("Schedule name or ID.", valueName: "schedule"))
    var schedule: String

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Number of next times, and of latest firings, to show, 1 to 100.", valueName: "n"))
    var count = 5

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard (1...100).contains(count) else { throw ValidationError("--count must be 1 to 100, not \(count)") }
    }

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            guard let schedule = try ScheduleReference.find([schedule], in: store).first else { return }
            let firings = try store.schedules.firings(of: schedule.id, limit: count)
            let next = nextTimes(of: schedule)
            let view = ScheduleDetailView(schedule, next: next, firings: firings, now: Now.milliseconds)
            try format.print(ScheduleJSON.detail(schedule, next: next, firings: firings), lines: view.lines)
        }
    }

    /// None for a paused schedule.
    private func nextTimes(of schedule: Schedule) -> [Int64] {
        guard schedule.pausedAt == nil, var time = schedule.nextAt else { return [] }
        var times = [time]
        // What a worker of this machine could not fire has no further times here.
        guard let cron = try? CronExpression(schedule.cron), let zone = SystemZone(schedule.timeZone) else { return times }
        while times.count < count, let next = cron.next(after: time, in: zone) {
            times.append(next)
            time = next
        }
        return times
    }
}

/// The details of a schedule: what it does and when, and its latest firings.
struct ScheduleDetailView {
    let lines: [String]

    init(_ schedule: Schedule, next: [Int64], firings: [ScheduleFiring], now: Int64) {
        let zone = SystemZone(schedule.timeZone)
        func time(_ time: Int64) -> String { zone?.text(time) ?? Figures.time(time, now: now) }
        var sheet = DetailView()
        sheet.add("id", "\(schedule.id)")
        sheet.add("name", DisplayText.line(schedule.name))
        sheet.add("when", DisplayText.line("\(schedule.cron)  \(ScheduleJSON.zone(of: schedule))"))
        sheet.add("missed", schedule.missed == .all ? "all, at most \(schedule.most)" : schedule.missed.rawValue)
        let work = try? ScheduledWork(schedule.work)
        sheet.add("does", work.map { DisplayText.line($0.summary, limit: 1_000) } ?? "?")
        sheet.add("created", Figures.time(schedule.createdAt, now: now))
        sheet.add("paused", schedule.pausedAt.map { Figures.time($0, now: now) }, .warning)
        sheet.add("fired", Figures.count(Int(schedule.firings), "time"))
        sheet.add("error", schedule.lastError.map { DisplayText.line($0, limit: 1_000) }, .bad)
        var lines = sheet.lines
        if case .job(let line)? = work { lines += ["", Style.apply(.bold, to: "Job", on: .output), "  \(JSONText.text(line))"] }
        if case .run(let run)? = work, run.inputs.members?.isEmpty == false {
            lines += ["", Style.apply(.bold, to: "Inputs", on: .output), "  \(JSONText.text(run.inputs))"]
        }
        if !next.isEmpty {
            lines += ["", Style.apply(.bold, to: "Next times", on: .output)] + next.map { "  \(time($0))" }
        }
        guard !firings.isEmpty else {
            self.lines = lines
            return
        }
        var table = Table([Column("FIRED", .fixed), Column("BY", .fixed), Column("ADDED", .fixed), Column("STATE", .fixed)])
        for firing in firings {
            let added = firing.run.map { "run \($0)" } ?? firing.job.map { "job \($0)" } ?? ""
            table.add([
                Cell(time(firing.firedAt)), Cell(firing.isByHand ? "hand" : "schedule"), Cell(added),
                firing.runState.map { Cell($0.rawValue, $0.tone) } ?? firing.jobState.map { Cell($0.displayName, Style.of($0)) }
                    ?? Cell("removed", .dim),
            ])
        }
        self.lines = lines + [""] + table.takeLines()
    }
}

/// `agent-queue schedule run`
struct ScheduleRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Fire schedules now, once, besides their times.",
        discussion: """
            Adds the job or starts the run at once, also for a paused schedule, and prints its ID. The next time of the schedule stays as it is.

              agent-queue schedule run digest
              agent-queue schedule run digest --json | jq .job
            """)

    @OptionGroup var selection: ScheduleSelection

    func run() async throws {
        let session = try Session(selection.global)
        try await session.withStore { store in
            let maker = ScheduleMaker(session.settings)
            var output = Output()
            for schedule in try ScheduleReference.find(selection.schedules, in: store) {
                let now = Now.milliseconds
                let firing = try maker.make(schedule.work, key: "schedule/\(schedule.id)/by-hand/\(now)", now: now)
                guard let fired = try await store.schedules.fireNow(schedule.id, firing) else {
                    throw ScheduleReference.notFound(schedule.name, among: [])
                }
                if let run = fired.run {
                    // Steps that the cache answers need no worker.
                    try await store.runs.resume(run: run, with: PipelinePlanner(store: store, settings: session.settings))
                }
                if selection.format.json {
                    let members = ScheduleJSON.firing(fired).members ?? []
                    try output.json(.object([.init("id", .integer(schedule.id)), .init("name", .string(schedule.name))] + members))
                } else {
                    try output.line(fired.run.map { "run \($0)" } ?? fired.job.map { "job \($0)" } ?? "")
                }
            }
            try output.flush()
        }
    }
}
