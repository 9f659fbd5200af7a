import AgentQueueMemory
import AgentQueueModel
import AgentQueueProviders
import AgentQueueStore
import AgentQueueWorker
import Foundation
import Testing

/// The topics in a store, each sentence embedded as a passage: by the same parts that a worker and the commands use.
struct EmbeddedTopics: Sendable {
    /// What was found for a query.
    struct Found: Sendable {
        var query: String
        var topic: String
        var text: String
        var foundTopic: String
        var similarity: Double
    }

    let topics: [Topic]
    let store: QueueStore
    let embedder: Embedder
    /// The model itself, past all of this.
    let provider: OpenAIProvider

    private static let namespace = "topics"

    func remember() async throws {
        for topic in topics {
            let vectors = try await embedder.embed(topic.passages, as: .passage)
            let memories = try zip(topic.passages, vectors).map { text, vector in
                NewMemory(text, metadata: ["topic": .string(topic.name)], vector: try MemoryVector(vector))
            }
            let remembered = try await store.memories.remember(memories, in: Self.namespace, model: embedder.model)
            #expect(remembered.allSatisfy { $0.outcome == .stored })
        }
    }

    /// The nearest sentence to each query, of whatever topic.
    func findTopics() async throws -> [Found] {
        let asked = topics.flatMap { topic in topic.queries.map { (query: $0, topic: topic.name) } }
        let vectors = try await embedder.embed(asked.map(\.query), as: .query)
        let queries = vectors.map { vector in
            var query = MemoryQuery(namespaces: [Self.namespace], vector: vector)
            query.limit = 1
            return query
        }
        let answers = try await MemorySearch(store).answer(queries)
        return try zip(asked, answers).map { asked, answer in
            let hit = try #require(answer.hits.first)
            return Found(
                query: asked.query, topic: asked.topic, text: hit.memory.text,
                foundTopic: hit.memory.metadata?["topic"]?.string ?? "", similarity: try #require(hit.similarity))
        }
    }

    /// The vectors as they are stored, by text.
    func vectors() throws -> [String: [Float]] {
        try store.memories.withSnapshot { snapshot in
            let space = try #require(try snapshot.namespace(named: Self.namespace)?.space)
            var ids: [Int64: Int64] = [:]
            let isWhole = try snapshot.changes(of: space, after: 0) { change in
                guard case .entries(let block) = change else { return }
                for index in 0..<block.count { ids[block.entry(index).number] = block.entry(index).memoryID }
            }
            #expect(isWhole)
            let numbers = ids.keys.sorted()
            let memories = try snapshot.memories(Array(ids.values))
            var vectors: [String: [Float]] = [:]
            try snapshot.vectors(numbers, of: space) { index, bytes in
                let values = (0..<space.dimension).map { place in
                    Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place * 4, as: UInt32.self)))
                }
                if let memory = ids[numbers[index]].flatMap({ memories[$0] }) { vectors[memory.text] = values }
            }
            return vectors
        }
    }

    /// What the model says of texts as they are.
    func direct(_ texts: [String]) async throws -> [[Float]] {
        var vectors: [[Float]] = []
        for start in stride(from: 0, to: texts.count, by: 64) {
            let slice = texts[start..<min(start + 64, texts.count)]
            let request = ModelRequest(
                kind: .embed, target: RealEmbeddingsTests.target, body: ["input": .array(slice.map { .string($0) })])
            guard case .reply(let reply) = try #require(await provider.respond(to: [request], CallOptions(timeout: 300_000)).first) else {
                throw ModelFailure(.permanent, "the model does not answer")
            }
            vectors += try #require(reply.embeddings)
        }
        return vectors
    }
}

/// Sentences about one thing, in English and in Portuguese, and questions that one of them should come first for. Written for this
/// project: `Resources/topics.json` has 30 of them.
struct Topic: Sendable {
    var name: String
    var passages: [String]
    var queries: [String]

    /// All of them.
    static func all() throws -> [Topic] {
        let url = try #require(Bundle.module.url(forResource: "Resources/topics", withExtension: "json"))
        let topics = try #require(try JSONValue.parse([UInt8](Data(contentsOf: url))).array)
        return try topics.map { topic in
            Topic(
                name: try #require(topic["topic"]?.string), passages: try texts(topic["passages"]), queries: try texts(topic["queries"]))
        }
    }

    private static func texts(_ value: JSONValue?) throws -> [String] {
        try #require(value?.array).map { try #require($0.string) }
    }
}
