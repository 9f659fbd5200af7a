import AgentQueueModel
import AgentQueueProviders
import AgentQueueStore
import Foundation
import Logging
import Synchronization
import Testing

@testable import AgentQueueWorker

/// The cache by nearness of meaning: from a request through an embedding model to a stored answer.
@Suite(.timeLimit(.minutes(2))) struct SemanticCacheTests {
    private final class Clock: Sendable {
        let time = Atomic<Int64>(1_000_000)
        var now: Int64 { time.load(ordering: .relaxed) }
        func advance(_ milliseconds: Int64) { time.wrappingAdd(milliseconds, ordering: .relaxed) }
    }

    private let clock = Clock()
    private let lines = LogLines()

    private func withStore(_ body: (QueueStore) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "/aq-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let clocks = StoreClock(wall: { [clock] in clock.now }, boot: { [clock] in clock.now }, bootID: { "boot" })
        let store = try QueueStore(path: folder + "/queue.db", options: StoreOptions(durability: .normal, clock: clocks))
        defer { store.close() }
        try await body(store)
        #expect(try store.maintenance.check().faults == [])
    }

    private func cache(
        _ store: QueueStore, _ provider: any ModelProvider, model: String = "fake/e", prefix: String = "", threshold: Double = 0.95
    ) throws -> SemanticCache {
        SemanticCache(
            store: store, provider: provider, model: try #require(Target(model)), prefix: prefix, threshold: threshold, logger: lines.logger
        )
    }

    private func request(_ prompt: String, system: String = "Be terse.", target: String = "local/m") throws -> ModelRequest {
        ModelRequest(
            kind: .generate, target: try #require(Target(target)),
            body: ["messages": [["role": "system", "content": .string(system)], ["role": "user", "content": .string(prompt)]]])
    }

    /// What a worker does with a request that the cache has no answer to: it looks for a near one, and where there is none it pays,
    /// keeps the answer, and remembers where the prompt lies.
    @discardableResult
    private func ask(_ store: QueueStore, _ cache: SemanticCache, _ request: ModelRequest, timeToLive: Int64 = 1_000_000) async throws
        -> SemanticMatch?
    {
        let (body, digest) = request.sealed(identity: "test")
        let lookup = await cache.match(request, identity: "test")
        if let match = lookup?.match { return match }
        _ = try await store.jobs.enqueue(NewJob(kind: .generate, target: request.target, body: body, digest: digest))
        let worker = try await store.claims.registerWorker()
        let round = try await store.claims.claim(
            ClaimRequest(worker: worker.id, queues: nil, providers: ["local", "other"], slots: 1, lease: 60_000, isIdle: true))
        let job = try #require(round.jobs.first)
        let text = request.body["messages"]?.array?.last?["content"]?.string ?? ""
        let result = JobResult(
            reply: ["text": .string("answer to \(text)")], usage: Usage(), cost: 0.5, answeredBy: .provider,
            target: request.target.description, latency: 1)
        _ = try await store.claims.settle(
            SettleRequest(
                job: job, settlement: Settlement(state: .completed), result: result,
                cache: CacheWrite(digest: digest, timeToLive: timeToLive)))
        try await store.claims.unregisterWorker(worker.id)
        if let lookup { await cache.remember(lookup, digest: digest) }
        return nil
    }

    @Test func aNearPromptIsAnsweredByTheEarlierOne() async throws {
        try await withStore { store in
            let embedder = FakeEmbedder(vectors: ["one": [1, 0, 0], "near": [0.99, 0.1, 0], "far": [0.9, 0.5, 0]])
            let cache = try cache(store, embedder)
            #expect(try await ask(store, cache, request("one")) == nil)
            let match = try #require(try await ask(store, cache, request("near")))
            #expect(match.digest == (try request("one").digest(identity: "test")))
            #expect(match.reply.reply.contains("answer to one") && match.reply.cost == 0.5)
            #expect(match.score > 0.99 && match.score < 0.9999)
            #expect(try await ask(store, cache, request("far")) == nil)
            // One embedding for each request, none to remember.
            #expect(embedder.texts == ["one", "near", "far"])
            #expect(lines.all == [])
        }
    }

    @Test func onlyTheSameQuestionElsewhereCounts() async throws {
        try await withStore { store in
            let cache = try cache(store, FakeEmbedder(vectors: ["one": [1, 0, 0], "near": [1, 0.01, 0]]))
            try await ask(store, cache, request("one"))
            #expect(try await cache.match(request("near", system: "Be wordy."), identity: "test")?.match == nil)
            #expect(try await cache.match(request("near", target: "other/m"), identity: "test")?.match == nil)
            #expect(try await cache.match(request("near"), identity: "another server")?.match == nil)
            let other = try self.cache(store, FakeEmbedder(vectors: ["near": [1, 0.01, 0]]), model: "fake/another")
            #expect(try await other.match(request("near"), identity: "test")?.match == nil)
            let shorter = try self.cache(store, FakeEmbedder(vectors: ["near": [1, 0.01]]))
            #expect(try await shorter.match(request("near"), identity: "test")?.match == nil)
            #expect(try await cache.match(request("near"), identity: "test")?.match != nil)
        }
    }

    @Test func whatHasExpiredOrIsDeletedNeverAnswers() async throws {
        try await withStore { store in
            let cache = try cache(store, FakeEmbedder(vectors: ["one": [1, 0, 0], "near": [1, 0.01, 0]]))
            try await ask(store, cache, request("one"), timeToLive: 50)
            clock.advance(50)
            #expect(try await cache.match(request("near"), identity: "test")?.match == nil)
            try await ask(store, cache, request("one"))
            let match = try #require(try await cache.match(request("near"), identity: "test")?.match)
            #expect(try await store.cache.delete(match.digest))
            #expect(try await cache.match(request("near"), identity: "test")?.match == nil)
        }
    }

    @Test func theThresholdDecides() async throws {
        try await withStore { store in
            let embedder = FakeEmbedder(vectors: ["one": [1, 0, 0], "near": [3, 4, 0]])
            try await ask(store, cache(store, embedder), request("one"))
            #expect(try await cache(store, embedder, threshold: 0.6).match(request("near"), identity: "test")?.match != nil)
            #expect(try await cache(store, embedder, threshold: 0.601).match(request("near"), identity: "test")?.match == nil)
        }
    }

    @Test func aModelThatFailsIsAMiss() async throws {
        try await withStore { store in
            let down = ModelFailure(.overloaded, "the server answered 503", usage: Usage(inputTokens: 3))
            let outcomes: [Outcome] = [
                .failure(down), .reply(ModelReply(text: "no vector")), .reply(ModelReply(embeddings: [])),
                .reply(ModelReply(embeddings: [[1], [2]])), .reply(ModelReply(embeddings: [[.nan, 1]])),
            ]
            for outcome in outcomes {
                let cache = try cache(store, FakeEmbedder { _ in outcome })
                let seen = Mutex<[Outcome]>([])
                #expect(
                    try await cache.match(request("secret prompt"), identity: "test") { one in seen.withLock { $0.append(one) } } == nil)
                #expect("\(seen.withLock { $0 })" == "\([outcome])", "what it came to is told, for its cost")
                #expect(try await cache.match(request("secret prompt"), identity: "test") == nil)
            }
            #expect(lines.all.count == outcomes.count, "each cache says so once, not twice: \(lines.all)")
            #expect(lines.all.allSatisfy { $0.hasPrefix("warning") && !$0.contains("secret") })
            let cache = try cache(store, FakeEmbedder { _ in .failure(down) })
            for _ in 0..<3 { _ = try await cache.match(request("x"), identity: "test") }
            clock.advance(59_999)
            _ = try await cache.match(request("x"), identity: "test")
            #expect(lines.all.count == outcomes.count + 1)
            clock.advance(1)
            _ = try await cache.match(request("x"), identity: "test")
            #expect(lines.all.count == outcomes.count + 2, "once a minute")
        }
    }

    @Test func whatWasStoppedIsNoComplaint() async throws {
        try await withStore { store in
            let cache = try cache(store, FakeEmbedder { _ in .failure(ModelFailure(.cancelled, "stopped")) })
            #expect(try await cache.match(request("x"), identity: "test") == nil)
            #expect(lines.all == [])
        }
    }

    @Test func whatCannotBeComparedIsNotEmbedded() async throws {
        try await withStore { store in
            let embedder = FakeEmbedder(vectors: [:])
            let cache = try cache(store, embedder)
            var tools = try request("one")
            tools.body = .object((tools.body.members ?? []) + [.init("tools", [["type": "function"]])])
            #expect(await cache.match(tools, identity: "test") == nil)
            #expect(try await cache.match(request(String(repeating: "x", count: 2_001)), identity: "test") == nil)
            #expect(embedder.texts == [])
            #expect(try await cache.match(request(String(repeating: "x", count: 2_000)), identity: "test") != nil)
            #expect(embedder.texts.count == 1)
        }
    }

    /// Vectors of texts with another prefix are not compared.
    @Test func someModelsWantAPrefix() async throws {
        try await withStore { store in
            let embedder = FakeEmbedder(vectors: ["query: one": [1, 0, 0], "query: near": [1, 0.01, 0], "near": [1, 0.01, 0]])
            let cache = try cache(store, embedder, prefix: "query: ")
            try await ask(store, cache, request("one"))
            #expect(embedder.texts == ["query: one"])
            #expect(try await self.cache(store, embedder).match(request("near"), identity: "test")?.match == nil)
            #expect(try await cache.match(request("near"), identity: "test")?.match != nil)
        }
    }

    static let embeddingsURL = ProcessInfo.processInfo.environment["AGENT_QUEUE_TEST_EMBEDDINGS_URL"]

    /// Against the server that scripts/local-models starts.
    @Test(.enabled(if: embeddingsURL != nil)) func aParaphraseIsNear() async throws {
        let transport = HTTPTransport(.init())
        do {
            try await withStore { store in
                let provider = OpenAIProvider(
                    name: "local-embeddings", baseURL: try #require(Self.embeddingsURL), apiKey: nil, transport: transport)
                let cache = try cache(store, provider, model: "local-embeddings/multilingual-e5-small", prefix: "query: ")
                try await ask(store, cache, request("What is the capital of France?"))
                let match = try #require(try await cache.match(request("What's the capital city of France?"), identity: "test")?.match)
                #expect(match.reply.reply.contains("capital of France"))
                for other in ["What is the capital of Spain?", "How do I boil an egg?", "Write a poem about the sea."] {
                    #expect(try await cache.match(request(other), identity: "test")?.match == nil)
                }
                #expect(lines.all == [])
            }
        } catch {
            try await transport.shutdown()
            throw error
        }
        try await transport.shutdown()
    }
}
