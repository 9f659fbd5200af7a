import Foundation
import JobModel
import Synchronization
import TestSupport

/// A server with limits of its own, which it tells in its headers and enforces with 429, as OpenAI does: token buckets that hold a
/// minute's worth and fill evenly.
final class LimitedServer: Sendable {
    private struct State {
        var requests: Double
        var tokens: Double
        var at: ContinuousClock.Instant?
        var answered = 0
        var refused = 0
    }

    private let requestsPerMinute: Double
    private let tokensPerMinute: Double
    private let tokensPerCall: Double
    private let tellsLimits: Bool
    private let state: Mutex<State>

    init(requests: Int, tokens: Int, tokensPerCall: Int, tellsLimits: Bool) {
        requestsPerMinute = Double(requests)
        tokensPerMinute = Double(tokens)
        self.tokensPerCall = Double(tokensPerCall)
        self.tellsLimits = tellsLimits
        state = Mutex(State(requests: Double(requests), tokens: Double(tokens)))
    }

    /// How many calls were answered, and how many refused.
    var counts: (answered: Int, refused: Int) { state.withLock { ($0.answered, $0.refused) } }

    /// The most calls that its limits let through in a time, the full buckets of the start included.
    func most(in time: Duration) -> Double {
        let minutes = time / .seconds(60)
        return min(requestsPerMinute * (1 + minutes), tokensPerMinute * (1 + minutes) / tokensPerCall)
    }

    var script: Script { Script { [self] in answer($0) } }

    private func answer(_ request: RecordedRequest) -> ScriptedAnswer {
        let (told, isRefused) = state.withLock { state -> ([(String, String)], Bool) in
            let now = ContinuousClock.now
            let passed = state.at.map { (now - $0) / .seconds(60) } ?? 0
            state.at = now
            state.requests = min(requestsPerMinute, state.requests + passed * requestsPerMinute)
            state.tokens = min(tokensPerMinute, state.tokens + passed * tokensPerMinute)
            let wait = max((1 - state.requests) / requestsPerMinute, (tokensPerCall - state.tokens) / tokensPerMinute) * 60
            guard wait <= 0 else {
                state.refused += 1
                return (headers(state) + [("retry-after", "\(Int(wait.rounded(.up)))")], true)
            }
            state.requests -= 1
            state.tokens -= tokensPerCall
            state.answered += 1
            return (headers(state), false)
        }
        if isRefused {
            return ScriptedAnswer(429, headers: told, json: #"{"error": {"message": "slow down", "code": "rate_limit_exceeded"}}"#)
        }
        let input = Int(tokensPerCall) - 2
        return ScriptedAnswer(
            headers: told,
            json: """
                {"choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": \(input), "completion_tokens": 2}}
                """)
    }

    private func headers(_ state: State) -> [(String, String)] {
        guard tellsLimits else { return [] }
        func reset(_ missing: Double, _ limit: Double) -> String { "\(Int((missing / limit * 60_000).rounded(.up)))ms" }
        return [
            ("x-ratelimit-limit-requests", "\(Int(requestsPerMinute))"), ("x-ratelimit-limit-tokens", "\(Int(tokensPerMinute))"),
            ("x-ratelimit-remaining-requests", "\(max(0, Int(state.requests)))"),
            ("x-ratelimit-remaining-tokens", "\(max(0, Int(state.tokens)))"),
            ("x-ratelimit-reset-requests", reset(requestsPerMinute - state.requests, requestsPerMinute)),
            ("x-ratelimit-reset-tokens", reset(tokensPerMinute - state.tokens, tokensPerMinute)),
        ]
    }
}
