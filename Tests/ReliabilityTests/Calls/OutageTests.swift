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
    }
}
