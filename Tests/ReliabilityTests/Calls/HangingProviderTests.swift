import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Testing

extension ReliabilityTests {
    /// A provider that takes calls and never answers.
    @Suite struct HangingProviderTests {
        private static let script = Script { $0.prompt.hasPrefix("hang") ? .hang : .echo($0) }

        /// By default: no limit, no timeout of minutes, and no priority has to be set for it.
        @Test(arguments: [1, 5])
        func jobsOfAnotherProviderRunBesideIt(_ concurrency: Int) async throws {
            let dead = " }\n  dead: { kind: openai, base_url: \"$URL/v1\""
            try await withScene(Self.script, configuration: "worker: { concurrency: \(concurrency) }", provider: dead) { scene in
                for number in 0..<20 { try await scene.enqueue("hang \(number)", to: "dead/m") { $0.priority = 1 } }
                let worker = try await scene.worker()
                try await scene.calls(concurrency)
                var ids: [Int64] = []
                for number in 0..<50 { ids.append(try await scene.enqueue("good \(number)") { $0.priority = 9 }) }
                for id in ids { try await scene.wait(for: id, .completed, within: .seconds(20)) }
                let hanging = scene.server.requests.filter { $0.prompt.hasPrefix("hang") }.count
                #expect(hanging == concurrency, "the dead provider gets no more slots")
                #expect(worker.output.contains("jobs of other providers run besides"), "\(worker.output)")
            }
        }
    }
}
