import AgentQueueMemory
import AgentQueueModel
import AgentQueueProviders
import AgentQueueStore
import AgentQueueTestSupport
import AgentQueueWorker
import Foundation
import Testing

/// Texts that are embedded by a real model (multilingual-e5-small, as `scripts/local-models` serves it), remembered and found.
@Suite(.serialized, .timeLimit(.minutes(15))) struct RealEmbeddingsTests {
    static let url = ProcessInfo.processInfo.environment["AGENT_QUEUE_TEST_EMBEDDINGS_URL"]
    static let target = Target(provider: "local", model: "multilingual-e5-small")

    @Test func theCorpusIsWhole() throws {
        let topics = try Topic.all()
        #expect(topics.count == 30)
        #expect(Set(topics.map(\.name)).count == 30)
        #expect(topics.allSatisfy { $0.passages.count >= 10 && $0.queries.count >= 3 })
        let texts = topics.flatMap { $0.passages + $0.queries }
        #expect(Set(texts).count == texts.count)
        #expect(topics.flatMap(\.passages).count >= 300)
        #expect(topics.flatMap(\.queries).count >= 90)
    }

    /// And what is stored is the vector of the text behind the passage prefix, and what it is compared with that of the query behind the
    /// query prefix: the model's own answers say so, text by text.
    @Test(.enabled(if: url != nil)) func theRightTopicComesFirst() async throws {
        try await withMemory(of: Topic.all(), query: "query: ", passage: "passage: ") { memory in
            let found = try await memory.findTopics()
            let right = found.filter { $0.topic == $0.foundTopic }.count
            print("real embeddings: the right topic first for \(right) of \(found.count) queries")
            #expect(right * 10 >= found.count * 9, "\(found.filter { $0.topic != $0.foundTopic }.map { "\($0.query) -> \($0.text)" })")

            let stored = try memory.vectors()
            var sample: [String] = []
            for topic in try Topic.all().prefix(10) { sample.append(topic.passages[sample.count % topic.passages.count]) }
            let passages = try await memory.direct(sample.map { "passage: " + $0 })
            let others = try await memory.direct(sample) + memory.direct(sample.map { "query: " + $0 })
            for (place, text) in sample.enumerated() {
                let vector = try #require(stored[text])
                #expect(dot(vector, passages[place]) > 0.9999, "\(text)")
                // With another prefix, or none, no text has that vector: at most 0.9983 was seen.
                #expect(dot(vector, others[place]) < 0.999, "\(text)")
                #expect(dot(vector, others[sample.count + place]) < 0.999, "\(text)")
            }
            let asked = found.enumerated().filter { $0.offset % 6 == 0 }.map(\.element)
            let queries = try await memory.direct(asked.map { "query: " + $0.query })
            for (vector, hit) in zip(queries, asked) {
                #expect(abs(hit.similarity - Double(dot(vector, try #require(stored[hit.text])))) < 1e-3, "\(hit.query)")
            }
        }
    }

    /// The control: prefixes that are swapped, or missing, are seen in how near the nearest are. The model is the same everywhere, and says
    /// the same each time.
    @Test(.enabled(if: url != nil)) func otherPrefixesAreSeen() async throws {
        let right = try await meanOfBest(query: "query: ", passage: "passage: ")
        let swapped = try await meanOfBest(query: "passage: ", passage: "query: ")
        let missing = try await meanOfBest(query: "", passage: "")
        print("real embeddings: the nearest has a cosine of \(right), with prefixes swapped \(swapped), without any \(missing)")
        #expect(abs(right - swapped) > 0.0003)
        #expect(abs(right - missing) > 0.0003)
    }

    private func meanOfBest(query: String, passage: String) async throws -> Double {
        try await withMemory(of: Array(Topic.all().prefix(4)), query: query, passage: passage) { memory in
            let best = try await memory.findTopics().map(\.similarity)
            return best.reduce(0, +) / Double(best.count)
        }
    }

    private func dot(_ left: [Float], _ right: [Float]) -> Float { zip(left, right).reduce(0) { $0 + $1.0 * $1.1 } }

    private func withMemory<Value>(
        of topics: [Topic], query: String, passage: String, _ body: (EmbeddedTopics) async throws -> Value
    ) async throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appending(path: "aq-embeddings-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try QueueStore(path: folder + "/queue.db")
        defer { store.close() }
        let transport = HTTPTransport(HTTPTransport.Configuration())
        let provider = OpenAIProvider(
            name: "local", baseURL: try #require(Self.url), apiKey: nil, maxEmbedInputs: 16, transport: transport)
        let embedder = Embedder(
            store: store, provider: provider, target: Self.target, queryPrefix: query, passagePrefix: passage, prices: [:], timeout: 300_000
        )
        let outcome: Result<Value, any Error>
        do {
            let memory = EmbeddedTopics(topics: topics, store: store, embedder: embedder, provider: provider)
            try await memory.remember()
            outcome = .success(try await body(memory))
        } catch {
            outcome = .failure(error)
        }
        try await transport.shutdown()
        return try outcome.get()
    }
}
