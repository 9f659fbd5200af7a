import AgentQueueDialects
import AgentQueueModel
import AgentQueueReports
import AgentQueueStore

/// What the query of `GET /api/jobs` selects: the filters of the command `list`, each repeated or with commas.
struct JobSelection {
    var filter = JobFilter()
    var limit: Int
    /// Only jobs with a smaller id.
    var before: Int64?

    static let limits: ClosedRange<Int64> = 1...100
    static let usualLimit: Int64 = 50

    /// - Parameter now: wall clock, in milliseconds.
    /// - Throws: `GatewayError`.
    init(_ head: RequestHead, now: Int64) throws(GatewayError) {
        limit = Int(try head.number("limit", in: Self.limits) ?? Self.usualLimit)
        before = try head.number("before", in: 1...Int64.max)
        filter.states = try Self.parts(head, "state").map { (text) throws(GatewayError) in
            try Self.value(JobState(displayName: text), text, "state", of: JobState.allCases.map(\.displayName))
        }
        filter.errorClasses = try Self.parts(head, "error_class").map { (text) throws(GatewayError) in
            try Self.value(FailureClass(rawValue: text), text, "error_class", of: FailureClass.allCases.map(\.rawValue))
        }
        filter.models = try Self.parts(head, "model").map { (text) throws(GatewayError) in
            guard Target(text) != nil else { throw Self.wrong("model", text, "provider/model, such as local/smollm2") }
            return text
        }
        filter.queues = Self.parts(head, "queue")
        filter.batches = head.allAsked("batch")
        filter.tags = Self.wholeAndParts(head.allAsked("tag"))
        for text in head.allAsked("metadata") {
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                throw Self.wrong("metadata", text, "key=value")
            }
            filter.metadata[String(text[..<equals]), default: []] += Self.wholeAndParts([String(text[text.index(after: equals)...])])
        }
        filter.texts = head.allAsked("search").filter { !$0.isEmpty }
        if let run = try head.number("run", in: 1...Int64.max) { filter.runs = [run] }
        filter.since = try Self.time(head, "since", now)
        filter.until = try Self.time(head, "until", now)
    }

    /// Leaves only what a key may see.
    /// - Throws: `GatewayError` for a queue or batch that is not there, or not for this key; `StoreError`.
    mutating func restrict(to caller: Caller, _ store: QueueStore) throws {
        if let queue = filter.queues.first(where: { !caller.sees(queue: $0) }) { throw Self.unknown("queue", queue) }
        if caller.seesAll {
            let unknown = try store.jobs.unknownNames(in: filter)
            if let queue = unknown.queue { throw Self.unknown("queue", queue) }
            if let batch = unknown.batch { throw Self.unknown("batch", batch) }
        } else if filter.queues.isEmpty {
            filter.queues = caller.queues
        }
    }

    private static func unknown(_ kind: String, _ name: String) -> GatewayError {
        GatewayError(.notFound, "There is no \(kind) \(InvalidText.quoted(name)).", param: kind)
    }

    private static func wrong(_ name: String, _ text: String, _ wanted: String) -> GatewayError {
        GatewayError(.malformed, "\(name) \(InvalidText.quoted(text)) is not of the form \(wanted).", param: name)
    }

    static func value<Value>(
        _ value: Value?, _ text: String, _ name: String, of words: [String]
    ) throws(GatewayError) -> Value {
        guard let value else {
            throw GatewayError(
                .malformed, "\(name) \(InvalidText.quoted(text)) is unknown: use \(words.joined(separator: ", ")).", param: name)
        }
        return value
    }

    static func parts(_ head: RequestHead, _ name: String) -> [String] {
        head.allAsked(name).flatMap { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    }

    /// A tag or value may hold commas itself.
    private static func wholeAndParts(_ texts: [String]) -> [String] {
        texts.flatMap { text in
            text.contains(",") ? [text] + text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) : [text]
        }
    }

    /// A time, or an age.
    private static func time(_ head: RequestHead, _ name: String, _ now: Int64) throws(GatewayError) -> Int64? {
        guard let text = head.asked(name) else { return nil }
        // What is no duration is a time, or else wrong.
        if let age = try? DurationText.parse(text) { return now - age.milliseconds }
        do {
            return try TimeText.parseRFC3339(text)
        } catch {
            throw GatewayError(.malformed, "\(name): \(error.message), nor a duration such as 1h.", param: name)
        }
    }
}
