import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Synchronization
import Testing

extension ReliabilityTests {
    /// A provider that fails is left alone by all processes at once, and one call of one of them finds out when it works again.
    @Suite struct BreakerTests {
        /// A server that is out of order until it is mended, and notes when it is asked.
        private final class Server: Sendable {
            private struct State {
                var isMended = false
                var asked: [ContinuousClock.Instant] = []
            }

            private let state = Mutex(State())

            /// When it was asked while it was out of order.
            var asked: [ContinuousClock.Instant] { state.withLock(\.asked) }

            /// How often nobody asked for as long as the breaker is open.
            var pauses: Int { zip(asked, asked.dropFirst()).count { $1 - $0 >= .seconds(1.5) } }

            func mend() { state.withLock { $0.isMended = true } }

            var script: Script {
                Script { [self] request in
                    let works = state.withLock { state in
                        if !state.isMended { state.asked.append(.now) }
                        return state.isMended
                    }
                    return works ? .echo(request) : ScriptedAnswer(500, json: #"{"error": "out of order"}"#)
                }
            }
        }

        @Test func oneProbeOfAllProcesses() async throws {
            let server = Server()
            let configuration = "breaker: { consecutive: 5, open_for: 2s }\nworker: { concurrency: 2 }"
            try await withScene(server.script, configuration: configuration) { scene in
                for number in 0..<40 { try await scene.enqueue("\(number)") { $0.maxAttempts = 50 } }
                for _ in 0..<4 { try await scene.worker() }
                try await until("the breaker opens") { try scene.store.providers.states().contains { $0.breaker.isOpen } }
                // Those that were under way when it opened, and no others.
                let before = 5 + 8
                try await until("two probes fail", within: .seconds(30)) { server.asked.count >= before + 2 || server.pauses >= 2 }
                // A probe comes when the breaker has been open for its time, and alone.
                #expect(server.asked.count <= before + 3)
                #expect(server.pauses >= 2)
                server.mend()
                try await until("every job is answered", within: .seconds(60)) {
                    try scene.store.jobs.lanes().reduce(0) { $0 + $1.count(.completed) } == 40
                }
                #expect(try scene.store.providers.states().allSatisfy { !$0.breaker.isOpen })
            }
        }

        @Test func aFallbackServesMeanwhile() async throws {
            let script = Script { request in
                request.path.hasPrefix("/broken") ? ScriptedAnswer(503, json: #"{"error": "overloaded"}"#) : .echo(request)
            }
            let other = " }\n  broken: { kind: openai, base_url: \"$URL/broken/v1\""
            let models = "models: { broken/m: { fallbacks: [scripted/m] } }"
            try await withScene(script, configuration: models, provider: other) { scene in
                var ids: [Int64] = []
                for number in 0..<20 { ids.append(try await scene.enqueue("\(number)", to: "broken/m")) }
                let worker = try await scene.worker("--drain")
                #expect(try await worker.end() == .exit(0))
                for (number, id) in ids.enumerated() {
                    let job = try scene.job(id)
                    #expect(job.state == .completed)
                    #expect(job.result?.answeredBy == .fallback)
                    #expect(job.result?.target == "scripted/m")
                    #expect(job.result?.text == "echo \(number)")
                    #expect(job.attempt == 1)
                }
                // Once it is left alone, no call goes there any more.
                let broken = scene.server.requests.filter { $0.path.hasPrefix("/broken") }.count
                #expect((1...12).contains(broken), "\(broken)")
            }
        }
    }
}

extension ProviderState.Breaker {
    var isOpen: Bool { self != .closed }
}
