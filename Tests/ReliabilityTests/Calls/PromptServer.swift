import AgentQueueModel
import AgentQueueTestSupport
import Synchronization

/// A chat server that counts what it charges for, by prompt, and fails the first calls of a prompt as it is told.
final class PromptServer: Sendable {
    private struct State {
        var charges: [String: Int] = [:]
        var failures: [String: [ScriptedAnswer]]
        var failed = 0
    }

    private let delay: Duration?
    private let state: Mutex<State>

    /// - Parameters:
    ///   - delay: how long a good answer takes.
    ///   - failures: what comes instead of the first answers to a prompt, in order.
    init(delay: Duration? = .milliseconds(20), failures: [String: [ScriptedAnswer]] = [:]) {
        self.delay = delay
        state = Mutex(State(failures: failures))
    }

    /// How often each prompt was charged for: once for each call that it began to answer.
    var charges: [String: Int] { state.withLock(\.charges) }
    /// How many calls it failed.
    var failed: Int { state.withLock(\.failed) }

    /// Its answers: each question, given back.
    var script: Script {
        Script { [self] request in
            let failure: ScriptedAnswer? = state.withLock { state in
                guard state.failures[request.prompt]?.isEmpty == false else {
                    state.charges[request.prompt, default: 0] += 1
                    return nil
                }
                state.failed += 1
                return state.failures[request.prompt]?.removeFirst()
            }
            return failure ?? .echo(request, after: delay)
        }
    }
}

extension ScriptedAnswer {
    /// An error in OpenAI's form.
    static func failing(_ status: Int, _ code: String, _ message: String = "not now", headers: [(String, String)] = []) -> ScriptedAnswer {
        let error: JSONValue = [
            "error": ["message": .string(message), "type": .string(code), "param": .null, "code": .string(code)]
        ]
        return ScriptedAnswer(status, headers: headers, json: error.text)
    }

    /// A server error, which passes.
    static let broken = failing(500, "server_error")
    /// A refusal for the rate, to be tried again at once.
    static let limited = failing(429, "rate_limit_exceeded", headers: [("retry-after-ms", "40")])
}
