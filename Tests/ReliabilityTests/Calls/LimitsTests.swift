import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Synchronization
import Testing

extension ReliabilityTests {
    /// Processes that know nothing of each other keep within a provider's limits together, and use them up.
    @Suite struct LimitsTests {
        private static let isLong = ProcessInfo.processInfo.environment["AGENT_QUEUE_LONG_TESTS"] != nil

        /// Limits that no configuration tells; the run is as long as it takes for what flows in to matter. A server that tells nothing
        /// but when to come again refuses the calls that are under way when its limit is first met, which takes long to be 2 %.
        @Test(arguments: isLong ? [(200, true), (400, true), (200, false)] : [(200, true), (400, true)])
        func hiddenLimitsAreLearntAndUsed(_ tokensPerCall: Int, tellsLimits: Bool) async throws {
            let seconds = tellsLimits ? 40 : 600
            let server = LimitedServer(requests: 60, tokens: 20_000, tokensPerCall: tokensPerCall, tellsLimits: tellsLimits)
            try await withScene(server.script, configuration: "worker: { concurrency: 5 }") { scene in
                // As long as what they cost, so that the tokens are no surprise.
                let prompt = String(repeating: "word ", count: tokensPerCall * 4 / 5)
                for number in 0..<800 {
                    try await scene.enqueue("\(number) \(prompt)") { $0.maxAttempts = 5 }
                }
                for _ in 0..<4 { try await scene.worker() }
                try await scene.calls(1)
                let start = ContinuousClock.now
                // The run's length is the measure itself: nothing is waited for but the time.
                try await Task.sleep(for: .seconds(seconds))
                let (answered, refused) = server.counts
                let most = server.most(in: ContinuousClock.now - start)
                print(
                    "limits: \(answered) answered of at most \(Int(most)), \(refused) refused, \(tokensPerCall) tokens a call, "
                        + "limits told: \(tellsLimits)")
                #expect(Double(answered) >= 0.9 * most)
                #expect(Double(refused) <= 0.02 * Double(answered + refused))
                #expect(try scene.store.jobs.lanes().reduce(0) { $0 + $1.count(.discarded) } == 0)
            }
        }
    }
}

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
