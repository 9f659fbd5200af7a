import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser
import FoundationEssentials

/// `agent-queue schedule add`
struct ScheduleAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add a schedule.",
        discussion: """
            Prints the ID of the schedule. Each time it fires, it adds a job with the prompt or, with --run, starts a pipeline, using \
            the configuration of the worker. With --run, only the job options --model, --queue, --priority, --tag, --on-finish and \
            --on-failure apply. When clocks go forward, a fixed time in the skipped hour fires right after it; when they go back, a fixed time in \
            the repeated hour fires once. `*` and steps follow elapsed time.

              agent-queue schedule add '0 7 * * mon-fri' 'What should I read today?' --time-zone Europe/Lisbon
              agent-queue schedule add @daily --name report --run content --input topic=weather
              agent-queue schedule add '*/10 * * * *' --missed once --queue watch --no-cache 'Anything new?'
            """)

    @OptionGroup var when: CronOptions

    @Argument(help: "The prompt, or `-` to read standard input.")
    var prompt: String?

    @Option(name: .long, help: ArgumentHelp("Read the prompt from a file.", valueName: "file"), completion: .file())
    var file: String?

    @Option(name: .customLong("run"), help: ArgumentHelp("Start this pipeline or mode instead of adding a job.", valueName: "name"))
    var pipeline: String?

    @OptionGroup(title: "Pipeline inputs")
    var inputs: RunInputOptions

    @Option(name: .long, help: ArgumentHelp("Name of the schedule. Default: schedule-ID.", valueName: "name"))
    var name: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "What to do about missed times: skip, once or all. Default: skip.",
            discussion: """
                skip: ignore times more than a minute ago. once: fire once for all missed times. all: fire for each, up to --most.
                """, valueName: "policy"), transform: ChoiceOption.parse)
    var missed: MissedFirings = .skip

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("With --missed all: maximum number of missed times to make up for, 1 to 1000. Default: 100.", valueName: "n"))
    var most: Int?

    @OptionGroup(title: "Job options")
    var job: JobFlags

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    /// Default of --most.
    private static let usualMost = 100

    func validate() throws {
        guard [prompt != nil, file != nil, pipeline != nil].count(where: { $0 }) == 1 else {
            throw ValidationError("give a prompt, --file or --run")
        }
        if pipeline == nil, !inputs.input.isEmpty || inputs.inputs != nil { throw ValidationError("--input and --inputs require --run") }
        if most != nil, missed != .all { throw ValidationError("--most requires --missed all") }
        if let most, !(1...1_000).contains(most) { throw ValidationError("--most must be 1 to 1000, not \(most)") }
        if let name, !ScheduleReference.isName(name) {
            throw ValidationError("--name must be 1 to 128 characters, not all digits, without control characters")
        }
    }

    func run() async throws {
        let session = try Session(global)
        let (cron, zone) = (try when.expression(), try when.zone())
        let now = Now.milliseconds
        guard let next = cron.next(after: now, in: zone) else {
            throw CommandFailure(.usage, "\(InvalidText.quoted(cron.description)) matches no time in the next five years")
        }
        let work = try work(session.settings)
        var schedule = NewSchedule(
            name: name, cron: cron.description, timeZone: zone.name, missed: missed, most: most ?? Self.usualMost, work: work.text,
            nextAt: next)
        schedule.followsMachine = when.timeZone == nil
        try await session.withStore(createsFile: true) { store in
            // Fails now rather than each time the schedule fires.
            _ = try ScheduleMaker(session.settings).make(work, key: "schedule", now: now)
            let added = try await store.schedules.add(schedule)
            try format.print(ScheduleJSON.schedule(added), line: "\(added.id)")
        }
    }

    private func work(_ settings: Settings) throws -> ScheduledWork {
        var draft = try job.draft()
        guard let pipeline else {
            draft.prompt = try file.map { try InputText.read($0) } ?? (prompt == "-" ? InputText.read("-") : prompt)
            return try .job(draft)
        }
        let options = RunOptions(from: &draft)
        let (onFinish, onFailure) = (draft.onFinish, draft.onFailure)
        (draft.onFinish, draft.onFailure) = ([], [])
        guard draft == JobDraft() else {
            throw ValidationError(
                "of the job options, --run accepts only --model, --queue, --priority, --tag, --on-finish and --on-failure")
        }
        let given = try inputs.object(for: try PipelineCatalog(settings).pipeline(named: pipeline))
        return .run(ScheduledRun(name: pipeline, inputs: given, options: options, onFinish: onFinish, onFailure: onFailure))
    }
}

/// A cron expression and its time zone.
struct CronOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "Cron expression: minute, hour, day of month, month and day of week, or a shortcut such as @daily.",
            discussion: """
                Supports numbers, names (mon, jan), ranges (1-5), steps (*/15), lists (1,15) and the shortcuts @hourly, @daily, @midnight, \
                @weekly, @monthly, @yearly and @annually. Quote the expression.
                """, valueName: "cron"))
    var cron: String

    @Option(
        name: .customLong("time-zone"),
        help: ArgumentHelp("Time zone, such as Europe/Lisbon. Default: the machine's, also if it changes later.", valueName: "zone"))
    var timeZone: String?

    /// - Throws: `CommandFailure`.
    func expression() throws -> CronExpression {
        do {
            return try CronExpression(cron)
        } catch {
            throw CommandFailure(.usage, error.description)
        }
    }

    /// - Throws: `CommandFailure` if there is no such time zone.
    func zone() throws -> SystemZone {
        guard let timeZone else {
            do {
                return try SystemZone.current(.init(variable: ProcessInfo.processInfo.environment["TZ"]))
            } catch {
                throw CommandFailure(.usage, "\(error.message); --time-zone takes precedence")
            }
        }
        guard let zone = SystemZone(timeZone) else {
            let hint = Suggestion.hint(for: timeZone, in: SystemZone.names)
            let help = hint.isEmpty ? " (use a name such as Europe/Lisbon, or UTC)" : hint
            throw CommandFailure(.usage, "unknown time zone \(InvalidText.quoted(timeZone))\(help)")
        }
        return zone
    }
}
