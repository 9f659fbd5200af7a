import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Synchronization

/// Two providers on one server: one that works, and one (below `/flaky`) that fails in every way that real ones do, sometimes after it
/// has charged for the call. Both keep account of what they charged for, by the job and the token under which they were asked.
final class DayProviders: Sendable {
    /// A call that was charged for.
    struct Charge: Sendable {
        /// Whether it was the flaky provider.
        var isFlaky: Bool
        /// Whether the answer was never sent: the provider broke the connection instead.
        var isCut: Bool
    }

    private struct State {
        var generator: SeededGenerator
        var charges: [Lease: Charge] = [:]
        var repeated = 0
        var hangs: [Int64: Int] = [:]
        var kinds: [String: Int] = [:]
        var isCalm = false
        var gate: Gate?
        var held: Set<Lease> = []
    }

    private let state: Mutex<State>

    init(seed: UInt64) { state = Mutex(State(generator: SeededGenerator(seed: seed))) }

    /// What was charged for.
    var charges: [Lease: Charge] { state.withLock(\.charges) }
    /// How often a call was charged for that had been charged for before, under the same job and token.
    var repeated: Int { state.withLock(\.repeated) }
    /// How often a job's call was never answered, nor charged for.
    var hangs: [Int64: Int] { state.withLock(\.hangs) }
    /// How many answers of each kind there were.
    var kinds: [String: Int] { state.withLock(\.kinds) }

    /// Ends the faults.
    func calm() { state.withLock { $0.isCalm = true } }

    /// The calls whose answers were held back, since the last time that it began.
    var held: Set<Lease> { state.withLock(\.held) }

    /// Holds good answers back, and makes them long, until ``release()``.
    func hold() {
        state.withLock { state in
            state.gate = Gate()
            state.held = []
        }
    }

    /// Gives what was held back.
    func release() {
        state.withLock { state in
            state.gate?.open()
            state.gate = nil
        }
    }

    var script: Script {
        Script { [self] request in state.withLock { answer(request, &$0) } }
    }

    private func answer(_ request: RecordedRequest, _ state: inout State) -> ScriptedAnswer {
        let isFlaky = request.path.hasPrefix("/flaky")
        let roll = isFlaky && !state.isCalm ? Int.random(in: 0..<100, using: &state.generator) : 100
        let kind: String
        let answer: ScriptedAnswer
        switch roll {
        case 0..<5: (kind, answer) = ("429", .limited)
        case 5..<7: (kind, answer) = ("429 at once", .failing(429, "rate_limit_exceeded", headers: [("retry-after", "0")]))
        case 7..<10: (kind, answer) = ("529", .failing(529, "overloaded_error"))
        case 10..<14: (kind, answer) = ("500", .broken)
        case 14..<17: (kind, answer) = ("dropped", ScriptedAnswer(body: [], ending: .droppedUnanswered))
        case 17..<19:
            (kind, answer) = ("never", .hang)
            if let job = request.lease?.jobID { state.hangs[job, default: 0] += 1 }
        case 19..<23:
            (kind, answer) = ("charged and dropped", ScriptedAnswer(body: [], ending: .droppedUnanswered))
            charge(request, Charge(isFlaky: isFlaky, isCut: true), &state)
        default:
            kind = "answered"
            if let gate = state.gate {
                // Too long for the pages that a database has to spare.
                answer = .saying("echo \(request.prompt)" + String(repeating: " paid for", count: 12_000), after: gate)
                if let lease = request.lease { state.held.insert(lease) }
            } else {
                answer = .echo(request, after: .milliseconds(Int.random(in: 20...150, using: &state.generator)))
            }
            charge(request, Charge(isFlaky: isFlaky, isCut: false), &state)
        }
        state.kinds[kind, default: 0] += 1
        return answer
    }

    private func charge(_ request: RecordedRequest, _ charge: Charge, _ state: inout State) {
        guard let lease = request.lease, state.charges[lease] == nil else {
            state.repeated += 1
            return
        }
        state.charges[lease] = charge
    }
}
