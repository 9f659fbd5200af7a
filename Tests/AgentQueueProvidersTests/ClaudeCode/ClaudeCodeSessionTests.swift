import AgentQueueModel
import Testing

@testable import AgentQueueDialects
@testable import AgentQueueProviders

@Suite struct ClaudeCodeSessionTests {
    /// A session, and what it says to do, in words.
    private struct Bench {
        var session: ClaudeCodeSession
        var residentBytes = 0

        init(isWarm: Bool = true, maxJobs: Int = 50) {
            session = ClaudeCodeSession(limits: ClaudeCodeLimits(maxJobs: maxJobs, maxBytes: 1_000), isWarm: isWarm)
        }

        mutating func take(_ event: ClaudeCodeSession.Event) -> [String] {
            session.handle(event, now: 0, residentBytes: { [residentBytes] in residentBytes }).map(Self.words)
        }

        mutating func job(_ id: UInt64) -> [String] {
            take(
                .job(ClaudeCodeJob(id: id, line: Array("job \(id)".utf8), timeout: 7, hasSchema: false, redaction: Redaction(secrets: []))))
        }

        mutating func line(_ line: JSONValue) -> [String] { take(.line(line)) }

        /// A good answer.
        mutating func answer() -> [String] {
            _ = line(["type": "system", "subtype": "init"])
            return line([
                "type": "result", "subtype": "success", "is_error": false, "num_turns": 1, "result": "fine", "stop_reason": "end_turn",
            ])
        }

        /// A good clearing.
        mutating func clear() -> [String] {
            _ = line(["type": "conversation_reset"])
            return line(["type": "result", "subtype": "success", "is_error": false, "num_turns": 0, "total_cost_usd": 0])
        }

        private static func words(_ action: ClaudeCodeSession.Action) -> String {
            switch action {
            case .write(let bytes):
                let text = String(decoding: bytes, as: UTF8.self)
                return text.contains("interrupt") ? "interrupt" : text.contains("/clear") ? "clear" : "write \(text)"
            case .closeInput: return "close"
            case .signal(let signal): return "signal \(signal)"
            case .set(let timer, let milliseconds): return "\(timer) \(milliseconds)"
            case .unset(let timer): return "no \(timer)"
            case .text(let id, let text): return "text \(id) \(text)"
            case .answer(let id, .notStarted): return "not begun \(id)"
            case .answer(let id, .outcome(.reply(let reply))): return "reply \(id) \(reply.text ?? "")"
            case .answer(let id, .outcome(.failure(let failure))): return "\(failure.failure.rawValue) \(id)"
            case .available: return "available"
            case .expired: return "expired"
            }
        }
    }

    private static let asksAgain: JSONValue = ["type": "user", "isSynthetic": true]
    private static let finished = ["no deadline", "no patience", "clear", "clear 5000", "available", "reply 1 fine"]

    @Test func aWarmProcessForgetsBetweenJobs() {
        var bench = Bench()
        #expect(bench.job(1) == ["no idle", "deadline 7", "write job 1"])
        #expect(bench.answer() == Self.finished)
        #expect(!bench.session.isIdle)
        #expect(bench.clear() == ["no clear", "idle 60000"])
        #expect(bench.session.isIdle)
        #expect(bench.job(2) == ["no idle", "deadline 7", "write job 2"])
    }

    @Test func aJobThatComesWhileItClearsWaits() {
        var bench = Bench()
        _ = bench.job(1)
        _ = bench.answer()
        #expect(bench.job(2) == ["deadline 7"])
        #expect(bench.job(3) == ["not begun 3"])
        #expect(bench.clear() == ["no clear", "write job 2"])
        // Its deadline counts while it waits.
        var late = Bench()
        _ = late.job(1)
        _ = late.answer()
        _ = late.job(2)
        #expect(late.take(.timer(.deadline)) == ["no deadline", "timed_out 2"])
        #expect(late.clear() == ["no clear", "idle 60000"])
    }

    @Test(
        arguments: [
            [["type": "result", "subtype": "success", "is_error": false, "num_turns": 0, "total_cost_usd": 0]],
            [["type": "conversation_reset"], ["type": "result", "is_error": false, "num_turns": 0, "total_cost_usd": 0.01]],
            [["type": "conversation_reset"], ["type": "result", "is_error": false, "num_turns": 1, "total_cost_usd": 0]],
            [["type": "conversation_reset"], ["type": "result", "is_error": true, "num_turns": 0, "total_cost_usd": 0]],
            [["type": "conversation_reset"], ["type": "result"]],
        ] as [[JSONValue]]) func aProcessThatHasNotForgottenGetsNoJob(lines: [JSONValue])
    {
        var bench = Bench()
        _ = bench.job(1)
        _ = bench.answer()
        _ = bench.job(2)
        var actions: [String] = []
        for line in lines { actions = bench.line(line) }
        #expect(actions == ["no deadline", "no patience", "no clear", "no idle", "not begun 2", "close", "signal 15", "exit 5000"])
        #expect(bench.job(3) == ["not begun 3"])
        #expect(bench.take(.timer(.exit)) == ["signal 9", "exit 5000"])
        #expect(bench.take(.timer(.exit)) == [])
    }

    @Test func aClearingThatTakesTooLongEndsTheProcess() {
        var bench = Bench()
        _ = bench.job(1)
        _ = bench.answer()
        #expect(bench.take(.timer(.clear)).suffix(3) == ["close", "signal 15", "exit 5000"])
    }

    @Test func aProcessIsNotKeptForTooLong() {
        let closed = ["no deadline", "no patience", "reply 1 fine", "no idle", "close", "exit 5000"]
        for (isWarm, maxJobs, bytes) in [(false, 50, 0), (true, 1, 0), (true, 50, 1_001)] {
            var bench = Bench(isWarm: isWarm, maxJobs: maxJobs)
            bench.residentBytes = bytes
            _ = bench.job(1)
            #expect(bench.answer() == closed)
            #expect(bench.job(2) == ["not begun 2"])
            #expect(bench.take(.timer(.exit)) == ["signal 15", "exit 5000"])
            #expect(bench.take(.timer(.exit)) == ["signal 9", "exit 5000"])
            #expect(bench.take(.ended(.signal(9))) == [])
        }
    }

    @Test func onlyAnIdleProcessExpires() {
        var bench = Bench()
        _ = bench.job(1)
        #expect(bench.take(.timer(.idle)) == [])
        _ = bench.answer()
        _ = bench.clear()
        #expect(bench.take(.timer(.idle)) == ["expired"])
        #expect(bench.take(.close) == ["no idle", "close", "exit 5000"])
    }

    @Test func aStoppedJobIsInterruptedAndItsResultIsWaitedFor() {
        for (stop, words) in [(ClaudeCodeStop.timedOut, "timed_out 1"), (.cancelled, "cancelled 1")] {
            var bench = Bench()
            _ = bench.job(1)
            #expect(bench.take(.stop(2, stop)) == [])
            #expect(bench.take(.stop(1, stop)) == ["no deadline", "interrupt", "patience 1000"])
            #expect(bench.take(.stop(1, .cancelled)) == [])
            let result: JSONValue = ["type": "result", "subtype": "error_during_execution", "is_error": true, "num_turns": 2]
            #expect(bench.line(result) == ["no deadline", "no patience", "clear", "clear 5000", "available", words])
        }
    }

    @Test func anAnswerThatCameMeanwhileIsNotThrownAway() {
        var bench = Bench()
        _ = bench.job(1)
        _ = bench.take(.timer(.deadline))
        #expect(bench.answer() == Self.finished)
    }

    @Test func aProcessThatDoesNotReactIsEnded() {
        var bench = Bench()
        _ = bench.job(1)
        _ = bench.take(.timer(.deadline))
        #expect(
            bench.take(.timer(.patience))
                == ["no deadline", "no patience", "no clear", "no idle", "timed_out 1", "close", "signal 15", "exit 5000"])
        #expect(bench.answer() == [])
        #expect(bench.take(.ended(.signal(15))) == [])
    }

    @Test func whatItWouldAskAgainIsStopped() {
        var bench = Bench()
        _ = bench.job(1)
        #expect(bench.line(Self.asksAgain) == ["no deadline", "interrupt", "patience 1000"])
        #expect(bench.line(Self.asksAgain) == [])
        // And no text of a second response is taken for the first's.
        #expect(bench.line(["type": "stream_event", "event": ["type": "message_start"]]) == [])
        let piece: JSONValue = [
            "type": "stream_event", "event": ["type": "content_block_delta", "delta": ["type": "text_delta", "text": "x"]],
        ]
        #expect(bench.line(piece) == [])
    }

    @Test func theEndOfAProcessIsTheEndOfItsJob() {
        var first = Bench()
        _ = first.job(1)
        #expect(first.take(.ended(.exit(1, standardError: "unknown option"))) == ["permanent 1"])

        // Between two jobs it is nobody's fault; once the second has begun, it may be.
        for (line, words) in [(nil, "not begun 2"), (["type": "system", "subtype": "init"] as JSONValue, "retryable 2")] {
            var second = Bench()
            _ = second.job(1)
            _ = second.answer()
            _ = second.clear()
            _ = second.job(2)
            if let line { _ = second.line(line) }
            #expect(second.take(.ended(.signal(9))) == [words])
        }

        var waiting = Bench()
        _ = waiting.job(1)
        _ = waiting.answer()
        _ = waiting.job(2)
        #expect(waiting.take(.ended(.signal(9))) == ["not begun 2"])
        #expect(waiting.job(3) == ["not begun 3"])
    }

    @Test func shuttingDownStopsAndCloses() {
        var running = Bench()
        _ = running.job(1)
        #expect(running.take(.shutDown) == ["no deadline", "interrupt", "patience 1000"])
        let result: JSONValue = ["type": "result", "subtype": "error_during_execution", "is_error": true]
        #expect(running.line(result) == ["no deadline", "no patience", "shutdown 1", "no idle", "close", "exit 5000"])

        var waiting = Bench()
        _ = waiting.job(1)
        _ = waiting.answer()
        _ = waiting.job(2)
        #expect(waiting.take(.shutDown) == ["no deadline", "shutdown 2"])
        #expect(waiting.clear() == ["no clear", "no idle", "close", "exit 5000"])

        var idle = Bench()
        #expect(idle.take(.shutDown) == ["no idle", "close", "exit 5000"])
    }

    @Test func noOrderOfEventsAnswersAJobTwiceOrNever() {
        var generator = SystemRandomNumberGenerator()
        let lines: [JSONValue] = [
            ["type": "system", "subtype": "init"], Self.asksAgain, ["type": "conversation_reset"],
            ["type": "result", "subtype": "success", "is_error": false, "num_turns": 1, "result": "fine"],
            ["type": "result", "subtype": "success", "is_error": false, "num_turns": 0, "total_cost_usd": 0],
            ["type": "result", "subtype": "error_during_execution", "is_error": true],
            ["type": "stream_event", "event": ["type": "message_delta", "delta": ["stop_reason": "max_tokens"]]],
        ]
        let timers: [ClaudeCodeSession.Timer] = [.deadline, .patience, .clear, .idle, .exit]
        for _ in 0..<3_000 {
            var bench = Bench(isWarm: Bool.random(using: &generator), maxJobs: Int.random(in: 1...3, using: &generator))
            var given: UInt64 = 0
            var answers: [UInt64: Int] = [:]
            func count(_ actions: [String]) {
                let endings = [
                    "reply", "not begun", "timed_out", "cancelled", "retryable", "permanent", "invalid_reply", "shutdown", "refused",
                ]
                for action in actions where endings.contains(where: action.hasPrefix) {
                    if let id = action.split(separator: " ").lazy.compactMap({ UInt64($0) }).first { answers[id, default: 0] += 1 }
                }
            }
            var trail: [String] = []
            for _ in 0..<25 {
                let actions: [String]
                switch Int.random(in: 0...9, using: &generator) {
                case 0...2:
                    given += 1
                    trail.append("job \(given)")
                    actions = bench.job(given)
                case 3: actions = bench.take(.stop(UInt64.random(in: 0...given, using: &generator), .cancelled))
                case 4:
                    let timer = timers.randomElement(using: &generator) ?? .idle
                    trail.append("\(timer)")
                    actions = bench.take(.timer(timer))
                case 5 where Int.random(in: 0...3, using: &generator) == 0:
                    trail.append("close")
                    actions = bench.take(Bool.random(using: &generator) ? .close : .shutDown)
                default:
                    let line = lines.randomElement(using: &generator) ?? .null
                    trail.append(line.text)
                    actions = bench.line(line)
                }
                trail.append(contentsOf: actions)
                count(actions)
            }
            count(bench.take(.ended(.signal(9))))
            let all = given == 0 ? [] : Array(1...given)
            #expect(all.allSatisfy { answers[$0] == 1 }, "\(answers) \(trail)")
        }
    }
}
