import AgentQueueModel
import AgentQueueProviders
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Testing

extension ReliabilityTests {
    /// The commands and a real model: with no word about prefixes in the configuration, an E5 model gets its own.
    @Suite struct MemoryPrefixTests {
        private static let url = ProcessInfo.processInfo.environment["AGENT_QUEUE_TEST_EMBEDDINGS_URL"]
        private static let texts = ["The office closes at six.", "A biblioteca abre às nove da manhã.", "Cats sleep most of the day."]
        private static let question = "When does the library open?"

        @Test(.enabled(if: url != nil)) func anE5ModelGetsItsPrefixes() async throws {
            let url = try #require(Self.url)
            let model = " }\n  local: { kind: openai, base_url: \"\(url)\""
            let configuration = "memory: { embedding_model: local/multilingual-e5-small }"
            try await withScene(.hang, configuration: configuration, provider: model) { scene in
                let stored = try await scene.run(["memory", "store"] + Self.texts)
                #expect(stored.ending == .exit(0), "\(stored.output)")
                let (ending, output) = try await scene.run("memory", "search", Self.question, "--json")
                #expect(ending == .exit(0), "\(output)")
                let hits = try #require(try JSONValue.parse(output)["hits"]?.array)
                #expect(hits.first?["text"]?.string == Self.texts[1])

                let vectors = try await Self.direct(["query: " + Self.question] + Self.texts.map { "passage: " + $0 }, url)
                #expect(hits.count == Self.texts.count)
                for hit in hits {
                    let place = try #require(Self.texts.firstIndex { hit["text"]?.string == $0 })
                    let expected = zip(vectors[0], vectors[place + 1]).reduce(0) { $0 + Double($1.0) * Double($1.1) }
                    // With any other pair of prefixes, all three scores are others.
                    #expect(abs((hit["score"]?.number ?? 0) - expected) < 1e-4, "\(Self.texts[place])")
                }
            }
        }

        private static func direct(_ texts: [String], _ url: String) async throws -> [[Float]] {
            let transport = HTTPTransport(HTTPTransport.Configuration())
            let provider = OpenAIProvider(name: "local", baseURL: url, apiKey: nil, transport: transport)
            let request = ModelRequest(
                kind: .embed, target: Target(provider: "local", model: "multilingual-e5-small"),
                body: ["input": .array(texts.map { .string($0) })])
            let outcome = await provider.respond(to: [request], CallOptions(timeout: 60_000)).first
            try await transport.shutdown()
            guard case .reply(let reply)? = outcome else { throw TookTooLong("the model does not answer: \(String(describing: outcome))") }
            return try #require(reply.embeddings)
        }
    }
}
