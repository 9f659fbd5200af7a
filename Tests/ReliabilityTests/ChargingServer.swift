import JobModel
import Synchronization
import TestSupport

/// A server that charges for its answers, and fails in every way that real ones do, some of them after it has charged. It knows
/// what it was asked by the idempotency key, which names job and lease.
final class ChargingServer: Sendable {
    private struct State {
        var generator: SystemRandomNumberGenerator = .init()
        var charges: [Lease: Int] = [:]
        var kinds: [String: Int] = [:]
    }

    private let state = Mutex(State())

    /// How often each lease was charged for.
    var charges: [Lease: Int] { state.withLock(\.charges) }
    /// How many answers of each kind were given.
    var kinds: [String: Int] { state.withLock(\.kinds) }

    /// Its answers: about two thirds good ones.
    var script: Script {
        Script { [self] request in
            let roll = state.withLock { Int.random(in: 0..<100, using: &$0.generator) }
            switch roll {
            case 0..<8:
                return note("429", ScriptedAnswer(429, headers: [("retry-after-ms", "40")], json: Self.error("rate_limit_exceeded")))
            case 8..<14: return note("529", ScriptedAnswer(529, json: Self.error("overloaded_error")))
            case 14..<20: return note("500", ScriptedAnswer(500, json: Self.error("server_error")))
            case 20..<24: return note("timeout", .hang)
            case 24..<28: return note("dropped", ScriptedAnswer(200, body: [], ending: .droppedUnanswered))
            case 28..<31:
                charge(request)
                return note("dropped after the charge", ScriptedAnswer(200, body: [], ending: .droppedUnanswered))
            default:
                charge(request)
                return note("answer", .echo(request, after: .milliseconds(Int.random(in: 1...30))))
            }
        }
    }

    private func charge(_ request: RecordedRequest) {
        guard let lease = request.lease else { return }
        state.withLock { $0.charges[lease, default: 0] += 1 }
    }

    private func note(_ kind: String, _ answer: ScriptedAnswer) -> ScriptedAnswer {
        state.withLock { $0.kinds[kind, default: 0] += 1 }
        return answer
    }

    private static func error(_ type: String) -> String {
        #"{"error": {"message": "not now", "type": "\#(type)", "param": null, "code": "\#(type)"}}"#
    }
}
