import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Synchronization
import Testing

@testable import AgentQueueWorker

/// Texts to vectors, at once.
@Suite(.timeLimit(.minutes(2))) struct EmbedderTests {
    private func embedder(_ bench: Bench, tries: Int = 4, keeps: Bool = true) throws -> Embedder {
        Embedder(
            store: bench.store, provider: bench.provider, target: try #require(Target("local/e")), queryPrefix: "q: ",
            passagePrefix: "p: ", prices: ["local/e": ModelPrice(input: 1, output: 1)], timeout: 10_000,
            cacheTimeToLive: keeps ? 60_000 : nil,
            tries: tries, backoff: Backoff(base: 1, cap: 2, floor: 1))
    }

    /// A vector that tells its text.
    private static func vector(_ text: String) -> [Float] { [Float(text.utf8.count), Float(text.utf8.first ?? 0)] }

    private static func answers(_ texts: [String]) -> [Outcome] {
        texts.enumerated().map { place, text in
            .reply(ModelReply(embeddings: [vector(text)], usage: Usage(inputTokens: 2), calls: place == 0 ? 1 : 0))
        }
    }

    @Test func vectorsComeInTheTextsOrderAndEachTextIsAskedForOnce() async throws {
        let provider = ScriptedProvider(maxInputs: 3) { texts, _ in Self.answers(texts) }
        try await withBench(provider) { b in
            let texts = ["one", "three", "one", "fourteen", "xy", "three", "last one"]
            let vectors = try await embedder(b).embed(texts, as: .passage)
            #expect(vectors == texts.map { Self.vector("p: " + $0) })
            #expect(provider.calls == [["p: one", "p: three", "p: fourteen"], ["p: xy", "p: last one"]])
            #expect(try await embedder(b).embed([], as: .query) == [])
            // Two calls of two tokens a text, on record with no job.
            #expect(try b.int("SELECT sum(calls) FROM charges WHERE job_id = 0 AND outcome = 'answered'") == 2)
            #expect(try b.int("SELECT sum(input_tokens) FROM charges") == 10 && b.int("SELECT input_tokens FROM lanes") == 10)
            #expect(try b.int("SELECT calls FROM lanes") == 2)
            // What is about to be remembered is not kept twice.
            #expect(try b.int("SELECT count(*) FROM cache_entries") == 0)
        }
    }

    @Test func aQueryIsAnsweredFromTheCache() async throws {
        let provider = ScriptedProvider { texts, _ in Self.answers(texts) }
        try await withBench(provider) { b in
            let first = try await embedder(b).embed(["where", "when"], as: .query)
            let again = try await embedder(b).embed(["when", "why", "where"], as: .query)
            #expect(provider.calls == [["q: where", "q: when"], ["q: why"]])
            #expect(again == [first[1], Self.vector("q: why"), first[0]])
            // An embed job of the same text is answered too.
            let job = try await b.add(["q: why"])
            #expect(try b.states(job) == [.completed])
            _ = try await embedder(b, keeps: false).embed(["when"], as: .query)
            #expect(provider.calls.last == ["q: when"])
        }
    }

    @Test(arguments: [FailureClass.rateLimited, .overloaded, .retryable, .timedOut])
    func whatPassesIsWaitedFor(_ failure: FailureClass) async throws {
        let provider = ScriptedProvider { texts, number in
            number < 3 ? texts.map { _ in .failure(ModelFailure(failure, "later", retryAfter: 1)) } : Self.answers(texts)
        }
        try await withBench(provider) { b in
            let vectors = try await embedder(b).embed(["a"], as: .passage)
            #expect(vectors == [Self.vector("p: a")] && provider.calls.count == 3)
        }
        let down = ScriptedProvider { texts, _ in texts.map { _ in .failure(ModelFailure(failure, "later")) } }
        try await withBench(down) { b in
            let error = await #expect(throws: ModelFailure.self) { try await embedder(b, tries: 3).embed(["a", "b"], as: .passage) }
            #expect(error?.failure == failure && down.calls.count == 3)
        }
    }

    /// A provider that wants to be left alone for long is not waited for.
    @Test func aLongWaitIsTold() async throws {
        let provider = ScriptedProvider { texts, _ in
            texts.map { _ in .failure(ModelFailure(.rateLimited, "tomorrow", retryAfter: 86_400_000)) }
        }
        try await withBench(provider) { b in
            let error = await #expect(throws: ModelFailure.self) { try await embedder(b).embed(["a"], as: .query) }
            #expect(error?.retryAfter == 86_400_000 && provider.calls.count == 1)
        }
    }

    @Test func oneBadTextFailsAloneAndTheOthersAreNotPaidForAgain() async throws {
        let texts = (0..<16).map { "t\($0)" }
        let provider = ScriptedProvider { texts, _ in
            texts.contains("p: t11")
                ? texts.enumerated().map {
                    .failure(ModelFailure(.permanent, "too long", usage: Usage(inputTokens: 1), calls: $0.offset == 0 ? 1 : 0))
                } : Self.answers(texts)
        }
        try await withBench(provider) { b in
            let error = await #expect(throws: ModelFailure.self) { try await embedder(b).embed(texts, as: .passage) }
            #expect(error?.message == "too long" && provider.calls.last == ["p: t11"])
            #expect(
                try b.int("SELECT count(*) FROM charges WHERE outcome = 'failed'") == provider.calls.filter { $0.contains("p: t11") }.count)
            let before = provider.calls.count
            let kept = try b.int("SELECT count(*) FROM cache_entries")
            #expect(kept >= 11)
            let others = texts.filter { $0 != "t11" }
            #expect(try await embedder(b).embed(others, as: .passage) == others.map { Self.vector("p: " + $0) })
            #expect(provider.calls.dropFirst(before).reduce(0) { $0 + $1.count } == others.count - kept)
        }
    }

    @Test(arguments: [FailureClass.authentication, .quotaExhausted])
    func whatWillNotPassIsToldAtOnce(_ failure: FailureClass) async throws {
        let provider = ScriptedProvider { texts, _ in texts.map { _ in .failure(ModelFailure(failure, "no")) } }
        try await withBench(provider) { b in
            let error = await #expect(throws: ModelFailure.self) { try await embedder(b).embed(["a", "b", "c"], as: .passage) }
            #expect(error?.failure == failure && provider.calls.count == 1)
        }
    }

    @Test func anAnswerThatIsNoneIsAFailure() async throws {
        let few = ScriptedProvider { texts, _ in Array(Self.answers(texts).dropLast(texts.count == 1 ? 1 : 0)) }
        try await withBench(few) { b in
            let error = await #expect(throws: ModelFailure.self) { try await embedder(b).embed(["a"], as: .query) }
            #expect(error?.failure == .invalidReply)
        }
        let two = ScriptedProvider { texts, _ in
            texts.map { _ in .reply(ModelReply(embeddings: [[1], [2]], usage: Usage(inputTokens: 9))) }
        }
        try await withBench(two) { b in
            let error = await #expect(throws: ModelFailure.self) { try await embedder(b).embed(["a"], as: .query) }
            // It was paid for all the same.
            let charged = try b.int("SELECT sum(input_tokens) FROM charges WHERE outcome = 'failed'")
            #expect(error?.failure == .invalidReply && charged == 9)
        }
    }

    @Test func aCancelledTaskStopsTheCall() async throws {
        let gate = Gate()
        let provider = ScriptedProvider { texts, _ in
            try? await gate.wait()
            return Self.answers(texts)
        }
        try await withBench(provider) { b in
            let embedder = try embedder(b)
            let task = Task { try await embedder.embed(["a"], as: .query) }
            try await within(.seconds(20), "the call begins") { try await provider.begun.wait(atLeast: 1) }
            task.cancel()
            gate.open()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(provider.calls.count == 1)
        }
    }
}

/// An embedding model whose vectors a test chooses by text.
final class FakeEmbedder: ModelProvider {
    let name = "fake"
    let identity = "fake"
    let capabilities = ProviderCapabilities()
    private let answer: @Sendable (String) -> Outcome
    private let asked = Mutex<[String]>([])

    /// The texts it was asked to embed, in their order.
    var texts: [String] { asked.withLock { $0 } }

    init(_ answer: @escaping @Sendable (String) -> Outcome) { self.answer = answer }

    convenience init(vectors: [String: [Float]]) {
        self.init { text in
            .reply(ModelReply(embeddings: [vectors[text] ?? [0, 0, 1]], usage: Usage(inputTokens: text.utf8.count)))
        }
    }

    func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
        requests.map { request in
            let text = request.body["input"]?.array?.first?.string ?? ""
            asked.withLock { $0.append(text) }
            return answer(text)
        }
    }

    func check(model: String?, timeout: Int64) async -> ProviderCheck { ProviderCheck(provider: name, model: model ?? name) }
}
