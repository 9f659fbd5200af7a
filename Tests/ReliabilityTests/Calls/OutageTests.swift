import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Testing

extension ReliabilityTests {
    /// A server whose port is closed, and then opened: real sockets, and workers that know nothing of each other.
    @Suite struct OutageTests {
        @Test func aServerThatIsDownCostsNoAttemptAndWorkGoesOnWhenItIsBack() async throws {
            let port = try await ScriptedServer.withServer(.echo) { $0.port }
            let down = " }\n  down: { kind: openai, base_url: \"http://127.0.0.1:\(port)/v1\""
            let configuration = "http: { max_retries: 0 }\nworker: { concurrency: 4 }"
            try await withScene(.echo, configuration: configuration, provider: down) { scene in
                var ids: [Int64] = []
                for number in 0..<12 {
                    ids.append(try await scene.enqueue("\(number)", to: "down/m") { $0.maxAttempts = 1 })
                }
                let hasty = try await scene.enqueue("now", to: "down/m") { $0.expiresAt = scene.store.clock.wall() + 6_000 }
                for _ in 0..<2 { try await scene.worker() }
                try await until("three pauses pass, each longer", within: .seconds(40)) {
                    let state = try scene.store.providers.states().first { $0.name == "down" }
                    return (state?.pausedUntil ?? 0) - scene.store.clock.wall() > 4_000
                }
                let (_, list) = try await scene.run("providers", "list", "--json")
                #expect(list.contains("connection refused") && list.contains("unreachable"), "\(list)")
                let (_, shown) = try await scene.run("show", "\(ids[11])")
                #expect(shown.contains("connection refused; trying again in"), "\(shown)")
                // A job that must not begin later ends all the same.
                try await scene.wait(for: hasty, .discarded)
                for id in ids { #expect(try !scene.job(id).state.isFinal) }
                try await ScriptedServer.withServer(.echo, port: port) { server in
                    for id in ids { try await scene.wait(for: id, .completed, within: .seconds(60)) }
                    #expect(server.requests.count == 12)
                }
                for id in ids { #expect(try scene.job(id).attempt == 1) }
            }
        }

        /// The name of a host cannot be looked up either, without a word of the reason. Providers and jobs have nothing to do with it.
        @Test func tooManyOpenFilesAreNobodysFault() async throws {
            let other = " }\n  other: { kind: openai, base_url: \"$LOCALHOST/v1\""
            try await withScene(.echo, provider: other) { scene in
                let worker = try await scene.worker()
                try await scene.wait(for: try await scene.enqueue("first"), .completed)
                /// Sets how many files the worker may have open.
                func limit(_ files: Int) async throws {
                    let prlimit = try ChildProcess("/usr/bin/prlimit", ["--pid", "\(worker.pid)", "--nofile=\(files):"])
                    #expect(try await prlimit.end() == .exit(0))
                }
                try await limit(4)
                let id = try await scene.enqueue("second", to: "other/m") { $0.maxAttempts = 1 }
                try await until("the worker says so", within: .seconds(20)) {
                    worker.output.contains("no new calls for 2 s") && worker.output.contains("this process has too many open files")
                }
                #expect(try scene.store.providers.states().allSatisfy { $0.pauseClass == nil && $0.breaker == .closed })
                try await limit(1_000)
                try await scene.wait(for: id, .completed, within: .seconds(20))
                #expect(try scene.job(id).attempt == 1)
            }
        }

        /// A pool that is smaller than what the worker may call at once grows with it.
        @Test func callsDoNotWaitForConnectionsOfTheirOwn() async throws {
            let gate = Gate()
            let script = Script { .saying("echo \($0.prompt)", after: gate) }
            let configuration = "http: { connection_pool_size: 1, connect_timeout: 500ms, max_retries: 0 }\nworker: { concurrency: 8 }"
            try await withScene(script, configuration: configuration) { scene in
                var ids: [Int64] = []
                for number in 0..<8 { ids.append(try await scene.enqueue("\(number)") { $0.maxAttempts = 1 }) }
                try await scene.worker()
                try await scene.calls(8)
                gate.open()
                for id in ids { try await scene.wait(for: id, .completed) }
                #expect(scene.server.requests.count == 8)
            }
        }
    }
}
