import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Testing

extension ReliabilityTests {
    /// Workers of a machine whose clock is two hours ahead, until it is set.
    @Suite struct ClockStepTests {
        @Test func `limits, retries and leases go on when the clock is set back`() async throws {
            let held = Gate()
            let refusals = LockedValue(0)
            let script = Script { request in
                if request.prompt == "held" { return .saying("yes", after: held) }
                guard request.prompt == "limited", refusals.value == 0 else { return .echo(request) }
                refusals.value = 1
                return ScriptedAnswer(429, headers: [("retry-after", "5")], json: #"{"error": "slow down"}"#)
            }
            let configuration = "models: { scripted/m: { limits: { rpm: 600 } } }\nworker: { lease: 1500ms }\nhttp: { max_retries: 0 }"
            try await withScene(script, configuration: configuration) { scene in
                guard let clock = try await ShiftedClock.make(in: scene.folder) else { return }
                try clock.set(ahead: 7_200)
                let workers = [
                    try await scene.worker("--log-format", "json", environment: clock.environment),
                    try await scene.worker("--log-format", "json", environment: clock.environment),
                ]
                let running = try await scene.enqueue("held")
                let limited = try await scene.enqueue("limited")
                try await scene.calls(2)
                try await scene.wait(for: limited, .retryable)
                try clock.set(ahead: 0)
                let after = try await scene.enqueue("after")
                try await scene.wait(for: after, .completed, within: .seconds(20))
                try await scene.wait(for: limited, .completed, within: .seconds(20))
                // Heartbeats go on: the other worker would take the job over otherwise.
                let lease = "SELECT lease_expires_at FROM jobs WHERE id = \(running)"
                let first = try #require(try scene.number(lease))
                try await until("the lease is renewed several times") { try scene.number(lease) ?? 0 > first + 3_000 }
                held.open()
                try await scene.wait(for: running, .completed)
                #expect(try scene.job(running).attempt == 1)
                #expect(scene.server.requests.count == 4)
                let said = workers.reduce(0) { $0 + $1.output.components(separatedBy: "the system clock was set back by 2h").count - 1 }
                #expect(said == 1, "said once for all processes")
                #expect(try await scene.run("doctor").output.contains("the system clock was set back by 2h"))
            }
        }
    }
}
