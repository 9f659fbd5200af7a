import JobModel
import Settings

/// Makes what schedules add, by a configuration.
public struct ScheduleMaker: FiringMaker {
    private let settings: Settings
    private let catalog: PipelineCatalog

    /// Makes one, by a configuration and the pipelines that it knows.
    public init(_ settings: Settings) {
        self.settings = settings
        catalog = PipelineCatalog(settings)
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
            var made = try catalog.resolve(run.name, inputs: run.inputs, options: run.options, now: now)
            made.uniqueKey = key
            made.onFinish = run.onFinish
            return .run(made)
        }
    }
}
