import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

@testable import AgentQueueProviders

/// What keeping programs running is worth: measured where it is asked for (`AGENT_QUEUE_MEASURE=1`), with the real program.
@Suite(
    .serialized, .timeLimit(.minutes(5)),
    .enabled(if: ProcessInfo.processInfo.environment["AGENT_QUEUE_MEASURE"] != nil && ClaudeCodeScene.program != nil, "not asked for"))
struct ClaudeCodeSpeedTests {
    /// Calls a second, that many at once, behind one that warms up.
    private func rate(isWarm: Bool, atOnce: Int, calls: Int) async throws -> Double {
        try await ClaudeCodeScene.run(.always(ScriptedClaude.stream("Hello there, friend")), .init(isWarm: isWarm)) { scene in
            await withTaskGroup { group in
                for _ in 0..<atOnce { group.addTask { _ = await scene.ask("warm up", timeout: 120_000) } }
            }
            let start = ContinuousClock.now
            let answered = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<atOnce {
                    group.addTask {
                        var answered = 0
                        for _ in 0..<calls / atOnce where await scene.ask("Hi", timeout: 120_000).reply != nil { answered += 1 }
                        return answered
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(answered == calls / atOnce * atOnce)
            return Double(answered) / ((ContinuousClock.now - start) / .seconds(1))
        }
    }

    @Test(arguments: [1, 2, 4]) func warmIsFiveTimesAsFastAsCold(atOnce: Int) async throws {
        let cold = try await rate(isWarm: false, atOnce: atOnce, calls: 12)
        let warm = try await rate(isWarm: true, atOnce: atOnce, calls: 80)
        print("\(atOnce) at once: cold \(cold) calls/s, warm \(warm) calls/s, \(warm / cold) times")
        #expect(warm >= 5 * cold)
    }
}
