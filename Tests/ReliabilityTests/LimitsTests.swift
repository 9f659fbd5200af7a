import Foundation
import JobModel
import QueueStore
import TestSupport
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
                #expect(try scene.store.lanes().reduce(0) { $0 + $1.count(.discarded) } == 0)
            }
        }
    }
}
