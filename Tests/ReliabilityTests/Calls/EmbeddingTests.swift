import AgentQueueModel
import AgentQueueProviders
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

extension ReliabilityTests {
    /// Texts of many jobs share calls, and each job gets its own vector.
    @Suite struct EmbeddingTests {
        private static let provider = ", embeddings: { max_inputs: 100 }"
        private static let patient = "breaker: { failure_rate: 1, consecutive: 1000 }"
        private static let realURL = ProcessInfo.processInfo.environment["AGENT_QUEUE_TEST_EMBEDDINGS_URL"]

        private static func check(_ scene: Scene, jobs: Int) throws {
            #expect(try scene.count(.completed) == jobs)
            for job in try scene.store.jobs.list(JobFilter(), limit: jobs) {
                #expect(try scene.vector(of: job) == EmbeddingServer.vector(of: "text \(job.id)"), "job \(job.id)")
            }
        }

        @Test func fiveThousandTextsAreFiftyCalls() async throws {
            let server = EmbeddingServer(delay: .milliseconds(10))
            try await withScene(server.script, provider: Self.provider) { scene in
                for start in stride(from: 1, to: 5_000, by: 1_000) { try await scene.embed((start..<start + 1_000).map { "text \($0)" }) }
                try await scene.worker()
                try await scene.waitForEnds(5_000)
                try Self.check(scene, jobs: 5_000)
                let calls = server.calls
                #expect(calls.count <= 51)
                #expect(calls.allSatisfy { $0.status == 200 })
                #expect(calls.reduce(0) { $0 + $1.texts.count } == 5_000)
                print("embedding: \(calls.count) calls for 5,000 texts that were there before")
            }
        }

        @Test func textsThatComeWhileWorkersRunShareCallsToo() async throws {
            let server = EmbeddingServer(delay: .milliseconds(10))
            try await withScene(server.script, provider: Self.provider) { scene in
                for _ in 0..<2 { try await scene.worker() }
                for start in stride(from: 1, to: 5_000, by: 250) { try await scene.embed((start..<start + 250).map { "text \($0)" }) }
                try await scene.waitForEnds(5_000)
                try Self.check(scene, jobs: 5_000)
                let calls = server.calls
                #expect(calls.count <= 2 * 51)
                #expect(calls.reduce(0) { $0 + $1.texts.count } == 5_000)
                print("embedding: \(calls.count) calls for 5,000 texts that came meanwhile")
            }
        }

        @Test(.enabled(if: realURL != nil)) func aRealModelSaysTheSameOfATextAloneAndAmongOthers() async throws {
            let url = try #require(Self.realURL)
            let more = " }\n  real: { kind: openai, base_url: \"\(url)\", embeddings: { max_inputs: 64 }"
            try await withScene(.hang, provider: more) { scene in
                let model = "real/multilingual-e5-small"
                let subjects = ["cats", "trains", "rain", "taxes", "bread", "chess", "glaciers", "opera", "bees", "rust"]
                let texts = (0..<200).map { "query: what number \($0) on the list says about \(subjects[$0 % 10])" }
                try await scene.embed(texts, with: model)
                try await scene.worker()
                try await scene.waitForEnds(200, within: .seconds(120))
                let transport = HTTPTransport(HTTPTransport.Configuration())
                let direct = OpenAIProvider(name: "real", baseURL: url, apiKey: nil, transport: transport)
                var least: Float = 1
                for id in 1...Int64(200) {
                    let body: JSONValue = ["input": [.string(texts[Int(id) - 1])]]
                    let request = ModelRequest(kind: .embed, target: Target(model)!, body: body)
                    let alone = await direct.respond(to: [request], CallOptions(timeout: 60_000))
                    guard case .reply(let reply)? = alone.first, let vector = reply.embeddings?.first else {
                        Issue.record("job \(id): \(alone)")
                        break
                    }
                    least = min(least, Self.cosine(vector, try scene.vector(of: try scene.job(id))))
                }
                try await transport.shutdown()
                #expect(least > 0.999)
                print("embedding: least cosine \(least) of 200 texts embedded together and alone")
            }
        }

        private static func cosine(_ one: [Float], _ other: [Float]) -> Float {
            guard one.count == other.count, !one.isEmpty else { return -1 }
            func dot(_ one: [Float], _ other: [Float]) -> Float { zip(one, other).reduce(0) { $0 + $1.0 * $1.1 } }
            return dot(one, other) / (dot(one, one) * dot(other, other)).squareRoot()
        }

        @Test func oneBadTextFailsAlone() async throws {
            let server = EmbeddingServer(refuses: { $0 == "text 37" })
            try await withScene(server.script, configuration: Self.patient, provider: Self.provider) { scene in
                try await scene.embed((1...100).map { "text \($0)" })
                try await scene.worker()
                try await scene.waitForEnds(100)
                #expect(try scene.count(.completed) == 99)
                for id in 1...Int64(100) where id != 37 {
                    #expect(try scene.vector(of: try scene.job(id)) == EmbeddingServer.vector(of: "text \(id)"), "job \(id)")
                }
                let bad = try scene.job(37)
                #expect(bad.state == .discarded)
                #expect(bad.errors.last?.message.contains("an input is not acceptable") == true, "\(bad.errors)")
                #expect(server.calls.first?.texts.count == 100)
                // 2 log2(100) + 2
                #expect(server.calls.count - 1 <= 15)
                // No text was paid for twice.
                #expect(server.calls.filter { $0.status == 200 }.reduce(0) { $0 + $1.texts.count } == 99)
                print("embedding: \(server.calls.count - 1) extra calls for one bad text among 100")
            }
        }

        @Test func cancellingOneLeavesTheOthers() async throws {
            let gate = Gate()
            let server = EmbeddingServer(gate: { $0 == 1 ? gate : nil })
            try await withScene(server.script, provider: Self.provider) { scene in
                try await scene.embed((1...60).map { "text \($0)" })
                try await scene.worker()
                try await scene.calls(1)
                #expect(try await scene.run("cancel", "7").ending == .exit(0))
                // The round that claims this one has seen the cancellation.
                try await scene.embed(["text 61"])
                try await scene.wait(for: 61, .completed)
                #expect(try scene.count(.completed) == 1)
                gate.open()
                try await scene.waitForEnds(61)
                #expect(try scene.job(7).state == .cancelled)
                #expect(try scene.count(.completed) == 60)
                for id in 1...Int64(61) where id != 7 {
                    #expect(try scene.vector(of: try scene.job(id)) == EmbeddingServer.vector(of: "text \(id)"), "job \(id)")
                }
                #expect(server.calls.map(\.texts.count) == [60, 1])
            }
        }

        @Test func cancellingAllEndsTheCall() async throws {
            let server = EmbeddingServer(gate: { _ in Gate() })
            try await withScene(server.script, provider: Self.provider) { scene in
                try await scene.embed((1...20).map { "text \($0)" })
                try await scene.worker()
                try await scene.calls(1)
                #expect(try await scene.run("cancel", "--queue", "default", "--yes").ending == .exit(0))
                try await scene.waitForEnds(20)
                #expect(try scene.count(.cancelled) == 20)
                try await within(.seconds(10), "the call is given up") { [server = scene.server] in
                    try await server.waitForClientsToClose(1)
                }
            }
        }

        @Test func withoutAsyncEachTextIsACall() async throws {
            let server = EmbeddingServer()
            try await withScene(server.script, provider: Self.provider) { scene in
                try await scene.embed((1...30).map { "text \($0)" })
                try await scene.worker(environment: ["ENABLE_ASYNC": "false"])
                try await scene.waitForEnds(30)
                try Self.check(scene, jobs: 30)
                #expect(server.calls.map(\.texts.count) == Array(repeating: 1, count: 30))
            }
        }

        @Test func usageIsSharedOutExactly() async throws {
            let server = EmbeddingServer()
            try await withScene(server.script, provider: Self.provider) { scene in
                let texts = (1...250).map { String(repeating: "word ", count: $0 % 17) + "\($0)" }
                try await scene.embed(texts)
                try await scene.worker()
                try await scene.waitForEnds(250)
                let charged = server.calls.reduce(0) { $0 + $1.tokens }
                #expect(try scene.number("SELECT sum(input_tokens) FROM results") == Int64(charged))
                #expect(try scene.number("SELECT sum(input_tokens) FROM charges") == Int64(charged))
                #expect(try scene.number("SELECT sum(calls) FROM charges") == Int64(server.calls.count))
                #expect(try scene.store.jobs.lanes().map(\.calls) == [server.calls.count])
                // A long text's share is larger than a short one's.
                let (short, long) = (try scene.job(17), try scene.job(16))
                #expect((short.result?.usage.inputTokens ?? 0) < (long.result?.usage.inputTokens ?? 0))
            }
        }

        @Test func aKilledWorkersTextsAreEmbeddedByAnother() async throws {
            let held = Gate()
            let server = EmbeddingServer(gate: { $0 <= 2 ? held : nil })
            try await withScene(server.script, provider: Self.provider) { scene in
                try await scene.embed((1...200).map { "text \($0)" })
                let worker = try await scene.worker()
                try await scene.calls(2)
                worker.send(SIGKILL)
                try await worker.end()
                try await scene.worker()
                try await scene.waitForEnds(200)
                try Self.check(scene, jobs: 200)
                #expect(server.calls.count <= 2 + 2)
                // What the dead one may have paid for is on record, once for each call.
                #expect(try scene.store.maintenance.statistics().maybePaidCalls == 2)
            }
        }
    }
}

extension Scene {
    /// Enqueues a job for each text, in one transaction.
    fileprivate func embed(_ texts: [String], with target: String = "scripted/m") async throws {
        _ = try await store.jobs.enqueue(
            texts.map { text in
                let request = ModelRequest(kind: .embed, target: Target(target)!, body: ["input": [.string(text)]])
                let (body, digest) = request.sealed(identity: "scripted")
                return NewJob(kind: .embed, target: request.target, body: body, digest: digest)
            })
    }

    /// The one vector of a job's answer.
    fileprivate func vector(of job: Job) throws -> [Float] {
        let vectors = try #require(job.result?.reply["embeddings"]?.array, "job \(job.id): \(job.errors)")
        #expect(vectors.count == 1)
        return (vectors.first?.array ?? []).compactMap { $0.number.map { Float($0) } }
    }
}
