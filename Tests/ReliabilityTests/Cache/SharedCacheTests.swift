import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Testing

extension ReliabilityTests {
    /// One process's answers serve the others.
    @Suite struct SharedCacheTests {
        @Test func theSameQuestionIsAskedOnce() async throws {
            let gate = Gate()
            let script = Script { $0.prompt == "same" ? .saying("answer", after: gate) : .echo($0) }
            try await withScene(script, configuration: "worker: { concurrency: 1 }") { scene in
                let worker = try await scene.worker()
                let first = try await scene.enqueue("same")
                try await scene.calls(1)
                // While the first is under way, so that a worker has to find the answer.
                let second = try await scene.enqueue("same")
                let fresh = try await scene.enqueue("same") { $0.useCache = false }
                gate.open()
                for id in [first, second, fresh] { try await scene.wait(for: id, .completed) }
                #expect(try scene.job(first).result?.answeredBy == .provider)
                #expect(try scene.job(second).result?.answeredBy == .cache)
                #expect(try scene.job(second).result?.text == "answer")
                #expect(try scene.job(fresh).result?.answeredBy == .provider)
                #expect(scene.server.requests.count == 2)
                #expect(worker.output.contains("job \(second) completed scripted/m attempt=1 by=cache"))

                let third = try await scene.enqueue("same")
                #expect(try scene.job(third).state == .completed)
                #expect(try scene.job(third).result?.text == "answer")
                #expect(scene.server.requests.count == 2)
                #expect(try scene.store.cache.statistics().hits == 2)
            }
        }
    }
}
