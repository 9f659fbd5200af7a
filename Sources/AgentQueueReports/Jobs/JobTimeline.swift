import AgentQueueModel
import AgentQueueStore

/// What has happened to a job, in order: created, waited, each attempt, finished.
package struct JobTimeline {
    /// One thing that happened.
    package struct Event: Equatable {
        package enum Kind: String {
            case created, waited, attempt, finished
            /// A completed job was asked anew.
            case again
        }

        package var kind: Kind
        /// Wall clock, in milliseconds.
        package var began: Int64
        /// Nil for a moment, and for an attempt that is running.
        package var ended: Int64?
        package var attempt: Int?
        /// The reason of a wait, the outcome of an attempt, the final state.
        package var word: String
        /// A clause.
        package var detail: String?
    }

    package let events: [Event]
    private let history: JobHistory

    private static let noWorker = "no worker was running"
    /// A shorter wait for a worker is not worth a line, in ms.
    private static let shortestWait: Int64 = 1_000

    package init(_ job: Job, _ history: JobHistory) {
        self.history = history
        var events = [Event(kind: .created, began: job.createdAt, word: "created")]
        events += history.waits.map { wait in
            Event(kind: .waited, began: wait.beganAt, ended: wait.endedAt, word: wait.reason, detail: wait.detail)
        }
        let attempts = Self.attempts(of: job, history)
        if let wait = Self.waitForWorker(job, history, firstAttempt: attempts.first) { events.append(wait) }
        events += attempts
        if let replaced = history.replaced { events.append(Event(kind: .again, began: replaced.replacedAt, word: "asked again")) }
        if let end = job.finalizedAt {
            events.append(Event(kind: .finished, began: end, word: job.state.displayName, detail: Self.source(of: job)))
        }
        // A stable order: what began at the same time stays in the order of kinds.
        self.events = events.enumerated().sorted { ($0.element.began, $0.offset) < ($1.element.began, $1.offset) }.map(\.element)
    }

    private static func attempts(of job: Job, _ history: JobHistory) -> [Event] {
        var events = history.failedAttempts.map { failed in
            if failed.failure == .unreachable {
                return Event(
                    kind: .attempt, began: failed.beganAt ?? failed.endedAt, ended: failed.endedAt, attempt: failed.attempt,
                    word: "not_reached", detail: failed.target ?? job.target.description)
            }
            let place = failed.target.flatMap { $0 == job.target.description ? nil : "\($0): " } ?? ""
            return Event(
                kind: .attempt, began: failed.beganAt ?? failed.endedAt, ended: failed.endedAt, attempt: failed.attempt, word: "failed",
                detail: place + failed.failure.rawValue)
        }
        if let replaced = history.replaced, let began = replaced.beganAt, replaced.answeredBy.isPaid {
            events.append(
                Event(
                    kind: .attempt, began: began, ended: replaced.endedAt, attempt: replaced.attempt, word: "answered",
                    detail: replaced.target))
            events.sort { $0.began < $1.began }
        }
        guard let began = job.attemptedAt else { return events }
        switch job.state {
        case .running:
            events.append(Event(kind: .attempt, began: began, attempt: job.attempt, word: "running"))
        case .completed where job.result?.answeredBy == .provider || job.result?.answeredBy == .fallback:
            events.append(
                Event(
                    kind: .attempt, began: began, ended: job.finalizedAt, attempt: job.attempt, word: "answered",
                    detail: job.result?.target))
        default: break
        }
        return events
    }

    /// The time before the first attempt that nothing else explains.
    private static func waitForWorker(_ job: Job, _ history: JobHistory, firstAttempt: Event?) -> Event? {
        guard let start = firstAttempt?.began else { return nil }
        let ready = history.failedAttempts.isEmpty ? max(job.createdAt, min(job.scheduledAt, start)) : job.createdAt
        let explained = history.waits.filter { $0.endedAt <= start }.map(\.endedAt).max() ?? ready
        let began = max(ready, explained)
        guard start - began > shortestWait else { return nil }
        // The first worker came in between, and took the job soon.
        let hadNone = history.workersSince.map { $0 > began && $0 <= start && start - $0 < shortestWait * 10 } ?? false
        return Event(kind: .waited, began: began, ended: start, word: "worker", detail: hadNone ? noWorker : "a free worker")
    }

    private static func source(of job: Job) -> String? {
        switch job.result?.answeredBy {
        case .cache: "from the cache"
        case .coalesced: "with the answer of an identical job"
        case .provider, .fallback, nil: nil
        }
    }

    // MARK: Shown

    /// The events of a kind as JSON; nil for all.
    package func json(_ kind: Event.Kind? = nil) -> JSONValue {
        .array(events.filter { kind == nil || $0.kind == kind }.map(Self.json))
    }

    /// The request that was sent, if it is not the job's own.
    package var sent: JSONValue? { history.sent }

    private static func json(_ event: Event) -> JSONValue {
        var members: [JSONValue.Member] = [.init("event", .string(event.kind.rawValue))]
        switch event.kind {
        case .created, .finished, .again:
            members.append(.init("at", JobJSON.time(event.began)))
            if event.kind == .finished { members.append(.init("state", .string(event.word))) }
        case .waited:
            members += [.init("reason", .string(event.word)), .init("detail", JobJSON.string(event.detail))] + span(event)
        case .attempt:
            members += [.init("attempt", .integer(Int64(event.attempt ?? 0))), .init("outcome", .string(event.word))]
            members += [.init("detail", JobJSON.string(event.detail))] + span(event)
        }
        return .object(members)
    }

    private static func span(_ event: Event) -> [JSONValue.Member] {
        [
            .init("began_at", JobJSON.time(event.began)), .init("ended_at", JobJSON.time(event.ended)),
            .init("seconds", event.ended.map { .double(Double($0 - event.began) / 1_000) } ?? .null),
        ]
    }

    /// A line for each event, safe to print: when, and what.
    package var lines: [String] {
        events.map { event in
            let time = TimeText.format(event.began).dropLast().replacing("T", with: " ")
            return "\(time)  \(Self.sentence(event))"
        }
    }

    private static func sentence(_ event: Event) -> String {
        let detail = event.detail.map { DisplayText.line($0) }
        let took = event.ended.map { " in \(Figures.duration(milliseconds: $0 - event.began))" } ?? ""
        switch event.kind {
        case .created, .again: return event.word
        case .finished: return event.word + (detail.map { " \($0)" } ?? "")
        case .attempt where event.word == "not_reached":
            return "not reached\(took.replacing(" in ", with: " after ")): \(detail ?? "the provider") (counts as no attempt)"
        case .attempt: return "attempt \(event.attempt ?? 0) \(event.word)\(took)" + (detail.map { ": \($0)" } ?? "")
        case .waited:
            let length = Figures.duration(milliseconds: (event.ended ?? event.began) - event.began)
            switch event.word {
            case "worker" where event.detail != noWorker, "dependency": return "waited \(length) for \(detail ?? event.word)"
            default: return "waited \(length): \(detail ?? event.word)"
            }
        }
    }
}
