import AgentQueueModel
import AgentQueueSettings

/// What a schedule does each time.
package enum ScheduledWork: Sendable, Equatable {
    /// Adds a job: a line of JSONL, an object.
    case job(JSONValue)
    /// Starts a run.
    case run(ScheduledRun)

    /// A job as the command line describes it.
    /// - Throws: `InputError` for what has no meaning each time anew: a time, a unique key, jobs to wait for.
    package static func job(_ draft: JobDraft) throws(InputError) -> ScheduledWork {
        if draft.at != nil { throw InputError("a scheduled job has no 'at': its schedule says when", kind: .usage) }
        if draft.uniqueKey != nil { throw InputError("a scheduled job has no unique key of its own: each firing has one", kind: .usage) }
        if !draft.after.isEmpty { throw InputError("a scheduled job cannot wait for a job that is there now", kind: .usage) }
        return .job(.object(draft.lineMembers))
    }

    /// As a schedule keeps it.
    package var text: String {
        switch self {
        case .job(let line): JSONValue.object([.init("job", line)]).text
        case .run(let run): JSONValue.object([.init("run", run.json)]).text
        }
    }

    /// Reads what ``text`` wrote.
    /// - Throws: `InputError` where it is something else.
    package init(_ text: String) throws(InputError) {
        let value: JSONValue
        do {
            value = try JSONValue.parse(text)
        } catch {
            throw InputError("what the schedule does cannot be read: \(error.description)", kind: .badData)
        }
        if let line = value["job"], line.members != nil {
            self = .job(line)
        } else if let run = value["run"].flatMap(ScheduledRun.init) {
            self = .run(run)
        } else {
            throw InputError("what the schedule does is neither a job nor a run", kind: .badData)
        }
    }

    /// What it does, in a few words.
    package var summary: String {
        switch self {
        case .job(let line):
            let kind = line["kind"]?.string ?? JobKind.generate.rawValue
            return "\(kind): \(line["prompt"]?.string ?? line["text"]?.string ?? line["input"]?.string ?? line["model"]?.string ?? "")"
        case .run(let run): return "run \(run.name)"
        }
    }
}

/// The run that a schedule starts, in the words of the command line.
package struct ScheduledRun: Sendable, Equatable {
    /// A pipeline's or a mode's name.
    package var name: String
    /// An object.
    package var inputs: JSONValue
    /// What holds for all its jobs.
    package var options: RunOptions
    /// Who is to be told of its end: names of notifications of the configuration.
    package var onFinish: [String]

    /// Makes one.
    package init(name: String, inputs: JSONValue = .object([]), options: RunOptions = RunOptions(), onFinish: [String] = []) {
        self.name = name
        self.inputs = inputs
        self.options = options
        self.onFinish = onFinish
    }

    /// As a schedule keeps it.
    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(name)), .init("inputs", inputs), .init("options", options.json),
        ]
        if !onFinish.isEmpty { members.append(.init("on_finish", .array(onFinish.map(JSONValue.string)))) }
        return .object(members)
    }

    /// Reads what ``json`` wrote; nil where it is something else.
    init?(_ json: JSONValue) {
        guard let name = json["name"]?.string, let inputs = json["inputs"], inputs.members != nil else { return nil }
        self.init(
            name: name, inputs: inputs, options: RunOptions(json["options"] ?? .object([])),
            onFinish: json["on_finish"]?.array?.compactMap(\.string) ?? [])
    }
}

/// Makes what schedules add, by a configuration.
package struct ScheduleMaker: FiringMaker {
    private let settings: Settings
    private let own: [any ModelProvider]
    private let catalog: PipelineCatalog

    /// Makes one, by a configuration and the pipelines that it knows.
    /// - Parameter own: the embedding program's providers.
    package init(_ settings: Settings, own: [any ModelProvider] = []) {
        self.settings = settings
        self.own = own
        catalog = PipelineCatalog(settings, own: own)
    }

    /// The clocks of a time zone of the system's database; nil where there is none of this name.
    package func zone(named name: String) -> (any ZoneOffsets)? { SystemZone(name) }

    /// Makes what a firing adds.
    /// - Throws: as ``make(_:key:now:)-(ScheduledWork,_,_)``, and `InputError` where `work` cannot be read.
    package func make(_ work: String, key: String, now: Int64) throws -> Firing {
        try make(ScheduledWork(work), key: key, now: now)
    }

    /// Makes what a firing adds. Also checks it, where nothing is to be added yet.
    /// - Throws: `InputError`, and what making a run throws.
    package func make(_ work: ScheduledWork, key: String, now: Int64) throws -> Firing {
        let context = settings.intakeContext(now: now, own: own)
        switch work {
        case .job(let line):
            var job = try JobLine(context: context).draft(line.text).validated(in: context)
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
