import AgentQueueModel
import Glibc

/// The life of one process as a pure state machine: what to do on each event.
///
///     idle ─ job → running ─ result → clearing ─ reset and result → idle …
///                     └ stopped: an interrupt, whose result is waited for; no result → ending
///     closing (its input is closed; it ends by itself) → ending (SIGTERM, then SIGKILL) → ended
///
/// A job ends with its result, whatever the process does then: some do not exit. While it clears, the process can be given the next job,
/// which waits. It does not see that job until it has reported that it forgot the previous one.
struct ClaudeCodeSession {
    /// The events.
    enum Event {
        case job(ClaudeCodeJob)
        /// A job must stop. Ignored if it is not there.
        case stop(UInt64, ClaudeCodeStop)
        case line(JSONValue)
        case timer(Timer)
        /// No more jobs will come.
        case close
        /// The current job must stop too.
        case shutDown
        /// Its output cannot be read any further.
        case unreadable
        /// It closed an output but runs on: no answer can come.
        case mute
        case ended(ClaudeCodeEnding)
    }

    /// What is being waited for.
    enum Timer: Hashable {
        /// The job's deadline.
        case deadline
        /// The result of an interrupted job.
        case patience
        /// The result of clearing.
        case clear
        /// The next job.
        case idle
        /// The process's end.
        case exit
    }

    /// The actions.
    enum Action {
        case write([UInt8])
        case closeInput
        /// Sent to the whole process group.
        case signal(Int32)
        /// Replaces a timer of the same kind. In ms.
        case set(Timer, after: Int64)
        case unset(Timer)
        case text(UInt64, String)
        case answer(UInt64, ClaudeCodeAnswer)
        /// It can take another job, which may have to wait until it has cleared.
        case available
        /// No job came in time: it should be closed.
        case expired
    }

    private enum Phase: Equatable {
        case idle
        case running
        case clearing(sawReset: Bool)
        case closing
        case ending(lastSignal: Int32)
        case ended
    }

    private let limits: ClaudeCodeLimits
    private let isWarm: Bool
    private var phase = Phase.idle
    private var job: ClaudeCodeJob?
    private var next: ClaudeCodeJob?
    private var turn = ClaudeCodeTurn()
    private var stop: ClaudeCodeStop?
    private var jobs = 0
    private var isClosing = false
    private var ending: ClaudeCodeEnding?

    /// Makes the session of a process that has just started.
    /// - Parameter isWarm: whether it may answer several jobs.
    init(limits: ClaudeCodeLimits, isWarm: Bool) {
        self.limits = limits
        self.isWarm = isWarm
    }

    /// Whether its first job has started, so that what it was started with has been read.
    var hasStarted: Bool { turn.hasBegun || jobs > 1 }
    /// Whether a job would start at once.
    var isIdle: Bool { phase == .idle }

    /// Takes an event.
    /// - Parameters:
    ///   - now: wall clock, ms.
    ///   - residentBytes: how much memory the process holds.
    mutating func handle(_ event: Event, now: Int64, residentBytes: () -> Int) -> [Action] {
        switch event {
        case .job(let job): return take(job)
        case .stop(let id, let reason): return stop(id, reason, now: now)
        case .line(let line): return read(line, now: now, residentBytes)
        case .timer(let timer): return expire(timer, now: now)
        case .close: return close()
        case .shutDown:
            let stopped = [job, next].compactMap(\.self).flatMap { stop($0.id, .shutDown, now: now) }
            return stopped + close()
        case .unreadable:
            ending = .unreadable
            return abandon(now: now)
        case .mute: return abandon(now: now)
        case .ended(let ending): return end(self.ending ?? ending, now: now)
        }
    }

    // MARK: Jobs

    private mutating func take(_ job: ClaudeCodeJob) -> [Action] {
        let deadline = Action.set(.deadline, after: job.timeout)
        switch phase {
        case .idle where self.job == nil: return [.unset(.idle), deadline] + begin(job)
        case .clearing where next == nil && !isClosing:
            next = job
            return [deadline]
        default: return [.answer(job.id, .notStarted)]
        }
    }

    private mutating func begin(_ job: ClaudeCodeJob) -> [Action] {
        self.job = job
        turn = ClaudeCodeTurn()
        stop = nil
        jobs += 1
        phase = .running
        return [.write(job.line)]
    }

    private mutating func stop(_ id: UInt64, _ reason: ClaudeCodeStop, now: Int64) -> [Action] {
        if let waiting = next, waiting.id == id {
            next = nil
            let outcome = outcome(of: waiting, ClaudeCodeTurn(), now: now).decide(nil, stop: reason, isFirst: false)
            return [.unset(.deadline), .answer(id, .outcome(outcome))]
        }
        guard job?.id == id else { return [] }
        return interrupt(reason)
    }

    /// Asks the program to interrupt the job. Its result then reports the usage, and the process can go on.
    private mutating func interrupt(_ reason: ClaudeCodeStop) -> [Action] {
        guard phase == .running, stop == nil else { return [] }
        stop = reason
        let request: JSONValue = ["type": "control_request", "request_id": .string("stop-\(jobs)"), "request": ["subtype": "interrupt"]]
        return [.unset(.deadline), .write(request.utf8(sorted: false) + [UInt8(ascii: "\n")]), .set(.patience, after: limits.patience)]
    }

    private mutating func finish(_ outcome: Outcome, _ residentBytes: () -> Int) -> [Action] {
        guard let id = job?.id else { return [] }
        job = nil
        let done: [Action] = [.unset(.deadline), .unset(.patience)]
        guard isWarm, !isClosing, jobs < limits.maxJobs, residentBytes() <= limits.maxBytes else {
            return done + [.answer(id, .outcome(outcome))] + close()
        }
        phase = .clearing(sawReset: false)
        // Made available before the answer is reported: a caller that reacts to the answer finds this process.
        return done + [
            .write(ClaudeCodePrompt.clearLine), .set(.clear, after: limits.clearTime), .available, .answer(id, .outcome(outcome)),
        ]
    }

    private func outcome(of job: ClaudeCodeJob, _ turn: ClaudeCodeTurn, now: Int64) -> ClaudeCodeOutcome {
        ClaudeCodeOutcome(turn: turn, hasSchema: job.hasSchema, redaction: job.redaction, now: now, timeout: job.timeout)
    }

    // MARK: Lines

    private mutating func read(_ line: JSONValue, now: Int64, _ residentBytes: () -> Int) -> [Action] {
        switch phase {
        case .running:
            guard let job else { return [] }
            switch turn.read(line) {
            case .nothing: return []
            // With a schema, the answer is what the program makes of the pieces.
            case .text(let piece): return stop == nil && !job.hasSchema ? [.text(job.id, piece)] : []
            case .asksAgain: return interrupt(.askedAgain)
            case .result(let result): return finish(outcome(of: job, turn, now: now).decide(result, stop: stop), residentBytes)
            }
        case .clearing(let sawReset):
            if line["type"]?.string == "conversation_reset" { phase = .clearing(sawReset: true) }
            guard line["type"]?.string == "result" else { return [] }
            // Costs and turns restart with the conversation. One that still counts the old conversation has not forgotten it.
            let isNew = line["num_turns"]?.int == 0 && line["total_cost_usd"]?.number == 0
            guard sawReset, isNew, line["is_error"]?.bool == false else { return abandon(now: now) }
            phase = .idle
            if let next {
                self.next = nil
                return [.unset(.clear)] + begin(next)
            }
            return [.unset(.clear)] + (isClosing ? close() : [.set(.idle, after: limits.idleTime)])
        case .idle, .closing, .ending, .ended: return []
        }
    }

    // MARK: The end

    private mutating func expire(_ timer: Timer, now: Int64) -> [Action] {
        switch timer {
        case .deadline: return (job ?? next).map { stop($0.id, .timedOut, now: now) } ?? []
        case .patience: return phase == .running ? abandon(now: now) : []
        case .clear:
            if case .clearing = phase { return abandon(now: now) }
            return []
        case .idle: return phase == .idle ? [.expired] : []
        case .exit:
            switch phase {
            case .closing: return signal(SIGTERM)
            case .ending(SIGTERM): return signal(SIGKILL)
            default: return []
            }
        }
    }

    /// Lets it end by itself, after its current job.
    private mutating func close() -> [Action] {
        isClosing = true
        switch phase {
        case .running where job != nil, .clearing, .closing, .ending, .ended: return []
        case .idle, .running:
            phase = .closing
            return [.unset(.idle), .closeInput, .set(.exit, after: limits.exitTime)]
        }
    }

    /// Gives it up because it does not behave as it should.
    private mutating func abandon(now: Int64) -> [Action] {
        var actions: [Action] = [.unset(.deadline), .unset(.patience), .unset(.clear), .unset(.idle)]
        if let job {
            let outcome = outcome(of: job, turn, now: now).decide(ending, stop: stop, isFirst: jobs == 1)
            actions.append(.answer(job.id, .outcome(outcome)))
            self.job = nil
        }
        if let next { actions.append(.answer(next.id, .notStarted)) }
        next = nil
        isClosing = true
        return actions + [.closeInput] + signal(SIGTERM)
    }

    private mutating func signal(_ signal: Int32) -> [Action] {
        if phase == .ended { return [] }
        phase = .ending(lastSignal: signal)
        return [.signal(signal), .set(.exit, after: limits.exitTime)]
    }

    private mutating func end(_ ending: ClaudeCodeEnding, now: Int64) -> [Action] {
        var actions: [Action] = []
        if let job {
            let outcome = outcome(of: job, turn, now: now).decide(ending, stop: stop, isFirst: jobs == 1)
            // A process that ended between two jobs is not the fault of the second.
            let isUntouched = jobs > 1 && !turn.hasBegun && stop == nil
            actions.append(.answer(job.id, isUntouched ? .notStarted : .outcome(outcome)))
        }
        if let next { actions.append(.answer(next.id, .notStarted)) }
        job = nil
        next = nil
        phase = .ended
        return actions
    }
}

/// Why we stopped a job.
enum ClaudeCodeStop: Sendable, Hashable {
    /// Its time was up.
    case timedOut
    /// Its task was cancelled.
    case cancelled
    /// The provider is shutting down.
    case shutDown
    /// The program was about to ask the model again.
    case askedAgain
}

/// How a process ended.
enum ClaudeCodeEnding: Sendable, Hashable {
    /// By itself, with a code and what it wrote to standard error.
    case exit(Int32, standardError: String)
    /// By a signal.
    case signal(Int32)
    /// It printed a line that was too long.
    case unreadable
    /// It never started; the clause says why.
    case notStarted(String)
}
