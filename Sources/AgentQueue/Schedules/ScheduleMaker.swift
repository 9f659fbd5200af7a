import JobModel
import Settings

/// Makes what schedules add, by a configuration.
public struct ScheduleMaker: FiringMaker {
    /// Makes a run of a pipeline: its name, its inputs, and what holds for all its jobs.
    public typealias RunResolver = @Sendable (String, JSONValue, RunOptions) throws -> NewRun

    private let settings: Settings
    private let resolveRun: RunResolver

    /// Makes one.
    public init(_ settings: Settings, resolveRun: @escaping RunResolver) {
        self.settings = settings
        self.resolveRun = resolveRun
    }

    /// The clocks of a time zone of the system's database; nil where there is none of this name.
    public func zone(named name: String) -> (any ZoneOffsets)? { SystemZone(name) }

    /// Makes what a firing adds.
    /// - Throws: as ``make(_:key:now:)-(ScheduledWork,_,_)``, and `InputError` where `work` cannot be read.
    public func make(_ work: String, key: String, now: Int64) throws -> Firing {
        try make(ScheduledWork(work), key: key, now: now)
    }

    /// Makes what a firing adds. Also checks it, where nothing is to be added yet.
    /// - Throws: `InputError`, and what making a run throws.
    public func make(_ work: ScheduledWork, key: String, now: Int64) throws -> Firing {
        let context = settings.intakeContext(now: now)
        switch work {
        case .job(let line):
            var job = try JobLine(defaults: JobDefaults(), context: context).draft(line.text).validated(in: context)
            job.uniqueKey = key
            return .job(job)
        case .run(let run):
            try NotificationName.check(run.onFinish, in: context)
            var made = try resolveRun(run.name, run.inputs, run.options)
            made.uniqueKey = key
            made.onFinish = run.onFinish
            return .run(made)
        }
    }
}
