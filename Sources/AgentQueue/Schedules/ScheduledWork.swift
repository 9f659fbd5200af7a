import JobModel
import Settings

/// What a schedule does each time.
public enum ScheduledWork: Sendable, Equatable {
    /// Adds a job: a line of JSONL, an object.
    case job(JSONValue)
    /// Starts a run.
    case run(ScheduledRun)

    /// A job as the command line describes it.
    /// - Throws: `InputError` for what has no meaning each time anew: a time, a unique key, jobs to wait for.
    public static func job(_ draft: JobDraft) throws(InputError) -> ScheduledWork {
        if draft.at != nil { throw InputError("a scheduled job has no 'at': its schedule says when", exit: .usage) }
        if draft.uniqueKey != nil { throw InputError("a scheduled job has no unique key of its own: each firing has one", exit: .usage) }
        if !draft.after.isEmpty { throw InputError("a scheduled job cannot wait for a job that is there now", exit: .usage) }
        return .job(.object(draft.lineMembers))
    }

    /// As a schedule keeps it.
    public var text: String {
        switch self {
        case .job(let line): JSONValue.object([.init("job", line)]).text
        case .run(let run): JSONValue.object([.init("run", run.json)]).text
        }
    }

    /// Reads what ``text`` wrote.
    /// - Throws: `InputError` where it is something else.
    public init(_ text: String) throws(InputError) {
        let value: JSONValue
        do {
            value = try JSONValue.parse(text)
        } catch {
            throw InputError("what the schedule does cannot be read: \(error.description)", exit: .badData)
        }
        if let line = value["job"], line.members != nil {
            self = .job(line)
        } else if let run = value["run"].flatMap(ScheduledRun.init) {
            self = .run(run)
        } else {
            throw InputError("what the schedule does is neither a job nor a run", exit: .badData)
        }
    }

    /// What it does, in a few words.
    public var summary: String {
        switch self {
        case .job(let line):
            let kind = line["kind"]?.string ?? JobKind.generate.rawValue
            return "\(kind): \(line["prompt"]?.string ?? line["text"]?.string ?? line["input"]?.string ?? line["model"]?.string ?? "")"
        case .run(let run): return "run \(run.name)"
        }
    }
}
