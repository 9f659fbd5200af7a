import AgentQueueModel
import AgentQueueSettings
import FoundationEssentials

/// What a schedule does each time it fires.
package enum ScheduledWork: Sendable, Equatable {
    /// Adds a job, which is kept as an object in the format of a JSONL line.
    case job(JSONValue)
    /// Starts a run.
    case run(ScheduledRun)

    /// The job of a draft.
    /// - Throws: `InputError` for options that have no meaning when repeated: a start time, a unique key, dependencies.
    package static func job(_ draft: JobDraft) throws(InputError) -> ScheduledWork {
        if draft.at != nil { throw InputError("a scheduled job has no 'at': its schedule says when", kind: .usage) }
        if draft.uniqueKey != nil { throw InputError("a scheduled job has no unique key of its own: each firing has one", kind: .usage) }
        if !draft.after.isEmpty { throw InputError("a scheduled job cannot wait for a job that is there now", kind: .usage) }
        return .job(.object(draft.lineMembers))
    }

    /// The text that a schedule stores.
    package var text: String {
        switch self {
        case .job(let line): JSONValue.object([.init("job", line)]).text
        case .run(let run): JSONValue.object([.init("run", run.json)]).text
        }
    }

    /// Reads what ``text`` wrote.
    /// - Throws: `InputError` if it cannot be read.
    package init(_ text: String) throws(InputError) {
        let value: JSONValue
        do {
            value = try JSONValue.parse(text)
        } catch {
            throw InputError("what the schedule does cannot be read: \(error.description)", kind: .badData)
        }
        if let line = value["job"], line.members != nil {
            self = .job(line)
        } else if let run = value["run"] {
            do {
                self = .run(try ScheduledRun(stored: run))
            } catch {
                throw InputError("what the schedule does cannot be read: \(error)", kind: .badData)
            }
        } else {
            throw InputError("what the schedule does is neither a job nor a run", kind: .badData)
        }
    }

    /// A description in a few words.
    package var summary: String {
        switch self {
        case .job(let line):
            let kind = line["kind"]?.string ?? JobKind.generate.rawValue
            return "\(kind): \(line["prompt"]?.string ?? line["text"]?.string ?? line["input"]?.string ?? line["model"]?.string ?? "")"
        case .run(let run): return "run \(run.name)"
        }
    }
}

/// A run that a schedule starts.
package struct ScheduledRun: Sendable, Equatable {
    /// The name of a pipeline or mode.
    package var name: String
    /// An object.
    package var inputs: JSONValue
    /// Options for all its jobs.
    package var options: RunOptions
    /// Names of configured notifications to send when it ends.
    package var onFinish: [String]
    /// Names of configured notifications to send if it fails.
    package var onFailure: [String]

    package init(
        name: String, inputs: JSONValue = .object([]), options: RunOptions = RunOptions(), onFinish: [String] = [], onFailure: [String] = []
    ) {
        self.name = name
        self.inputs = inputs
        self.options = options
        self.onFinish = onFinish
        self.onFailure = onFailure
    }

    /// The JSON that a schedule stores.
    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(name)), .init("inputs", inputs), .init("options", options.json),
        ]
        for (key, names) in [("on_finish", onFinish), ("on_failure", onFailure)] where !names.isEmpty {
            members.append(.init(key, .array(names.map(JSONValue.string))))
        }
        return .object(members)
    }

    /// Reads what ``json`` wrote.
    /// - Throws: `DamagedValue` if it did not write this.
    init(stored json: JSONValue) throws(DamagedValue) {
        let run = try StoredObject(json, "run")
        guard let name = try run.string("name") else { throw run.damage("name", "a string") }
        guard let inputs = run["inputs"], inputs.members != nil else { throw run.damage("inputs", "an object") }
        self.init(
            name: name, inputs: inputs, options: try RunOptions(stored: run["options"] ?? .object([])),
            onFinish: try run.strings("on_finish") ?? [], onFailure: try run.strings("on_failure") ?? [])
    }
}

/// Makes the jobs and runs that schedules add, according to a configuration.
package struct ScheduleMaker: FiringMaker {
    private let settings: Settings
    private let own: [any ModelProvider]
    private let catalog: PipelineCatalog

    /// Makes one with a configuration and its pipelines.
    /// - Parameter own: the embedding program's providers.
    package init(_ settings: Settings, own: [any ModelProvider] = []) {
        self.settings = settings
        self.own = own
        catalog = PipelineCatalog(settings, own: own)
    }

    /// A time zone of the system's database; nil if there is none with this name.
    package func zone(named name: String) -> (any ZoneOffsets)? { SystemZone(name) }

    /// The zone that this machine is set to: that of `TZ`, or else its own setting.
    package func machineZone() -> String? {
        // What a wrong setting means is said when a schedule is added; one that exists keeps the zone it has.
        try? SystemZone.current(.init(variable: ProcessInfo.processInfo.environment["TZ"])).name
    }

    /// Makes what a firing adds.
    /// - Throws: as ``make(_:key:now:)-(ScheduledWork,_,_)``, and `InputError` if `work` cannot be read.
    package func make(_ work: String, key: String, now: Int64) throws -> Firing {
        try make(ScheduledWork(work), key: key, now: now)
    }

    /// Makes what a firing adds. Also used to check the work before it is scheduled.
    /// - Throws: `InputError`, and the errors of making a run.
    package func make(_ work: ScheduledWork, key: String, now: Int64) throws -> Firing {
        let context = settings.intakeContext(now: now, own: own)
        switch work {
        case .job(let line):
            var job = try JobLine(context: context).draft(line.text).validated(in: context)
            job.uniqueKey = key
            return .job(job)
        case .run(let run):
            try NotificationName.check(run.onFinish + run.onFailure, in: context)
            var made = try catalog.resolve(run.name, inputs: run.inputs, options: run.options, now: now)
            made.uniqueKey = key
            made.onFinish = run.onFinish
            made.onFailure = run.onFailure
            return .run(made)
        }
    }
}
