import AgentQueueModel
import AgentQueueProviders
import AgentQueueTestSupport
import Foundation
import Testing

/// Against the servers that scripts/local-models starts.
@Suite(.serialized, .timeLimit(.minutes(5))) struct RealModelTests {
    static let chatURL = ProcessInfo.processInfo.environment["AGENT_QUEUE_TEST_CHAT_URL"]
    static let embeddingsURL = ProcessInfo.processInfo.environment["AGENT_QUEUE_TEST_EMBEDDINGS_URL"]

    func request(_ prompt: String, maxTokens: Int64 = 16) -> ModelRequest {
        ModelRequest(
            kind: .generate, target: Target(provider: "local", model: "smollm2"),
            body: [
                "messages": [["role": "user", "content": .string(prompt)]], "max_tokens": .integer(maxTokens), "temperature": 0, "seed": 1,
            ])
    }

    @Test(.enabled(if: chatURL != nil)) func aChatModelAnswers() async throws {
        try await withTransport { transport in
            let provider = OpenAIProvider(name: "local", baseURL: try #require(Self.chatURL), apiKey: nil, transport: transport)
            let reply = try #require(await provider.respond(to: request("What is the capital of France?"), timeout: 60_000).reply)
            #expect(reply.text?.isEmpty == false)
            #expect(reply.usage.inputTokens > 5)
            #expect((1...16).contains(reply.usage.outputTokens))
            #expect(["stop", "length"].contains(reply.finishReason))
            #expect(reply.model != nil)
            let all = await provider.respond(
                to: (1...6).map { request("Say \($0)", maxTokens: 4) }, CallOptions(timeout: 120_000))
            #expect(all.allSatisfy { $0.reply?.text?.isEmpty == false })
        }
    }

    @Test(.enabled(if: chatURL != nil)) func aStreamIsWhatTheWholeAnswerIs() async throws {
        try await withTransport { transport in
            let provider = OpenAIProvider(name: "local", baseURL: try #require(Self.chatURL), apiKey: nil, transport: transport)
            let question = request("Name three colours.", maxTokens: 24)
            let whole = try #require(await provider.respond(to: question, timeout: 60_000).reply)
            let told = Recorder<String>()
            let streamed = try #require(await provider.respond(to: question, timeout: 60_000, onText: told.add).reply)
            #expect(streamed.text == whole.text)
            #expect(told.text == whole.text)
            #expect(told.all.count > 1)
            #expect(streamed.usage.inputTokens == whole.usage.inputTokens)
            #expect(streamed.usage.outputTokens == whole.usage.outputTokens)
            #expect(streamed.finishReason == whole.finishReason)
        }
    }

    @Test(.enabled(if: chatURL != nil)) func aChatModelChecksOut() async throws {
        try await withTransport { transport in
            let provider = OpenAIProvider(name: "local", baseURL: try #require(Self.chatURL), apiKey: nil, transport: transport)
            let check = await provider.check(model: "smollm2", timeout: 60_000)
            #expect(check.isAvailable, "\(check.reason ?? "")")
            #expect(check.models?.contains("smollm2") == true)
            #expect(await provider.check(model: nil, timeout: 60_000).model == "smollm2")
            let bad = ModelRequest(kind: .generate, target: Target(provider: "local", model: "smollm2"), body: ["messages": "nonsense"])
            let failure = try #require(await provider.respond(to: bad).failure)
            #expect([.permanent, .retryable].contains(failure.failure), "\(failure)")
        }
    }

    @Test(.enabled(if: chatURL != nil)) func cancellingFreesTheServersSlot() async throws {
        try await withTransport { transport in
            let provider = OpenAIProvider(name: "local", baseURL: try #require(Self.chatURL), apiKey: nil, transport: transport)
            let failure = try #require(await provider.respond(to: request("Count to a thousand.", maxTokens: 1_800), timeout: 300).failure)
            #expect(failure.failure == .timedOut)
            #expect(await provider.respond(to: request("Hi", maxTokens: 1), timeout: 20_000).reply != nil)
        }
    }

    @Test(.enabled(if: embeddingsURL != nil)) func anEmbeddingModelAnswers() async throws {
        try await withTransport { transport in
            let provider = OpenAIProvider(name: "local", baseURL: try #require(Self.embeddingsURL), apiKey: nil, transport: transport)
            func texts(_ texts: [String]) -> ModelRequest {
                ModelRequest(
                    kind: .embed, target: Target(provider: "local", model: "multilingual-e5-small"),
                    body: ["input": .array(texts.map { .string($0) })])
            }
            let requests = [texts(["query: a cat sleeps"]), texts(["query: a kitten naps", "query: quarterly tax report"])]
            let outcomes = await provider.respond(to: requests, CallOptions(timeout: 60_000))
            let first = try #require(outcomes[0].reply?.embeddings)
            let second = try #require(outcomes[1].reply?.embeddings)
            #expect(first.count == 1 && second.count == 2)
            #expect(Set((first + second).map(\.count)) == [384])
            func dot(_ left: [Float], _ right: [Float]) -> Float { zip(left, right).reduce(0) { $0 + $1.0 * $1.1 } }
            #expect(dot(first[0], second[0]) > dot(first[0], second[1]))
            // Embedded alone, a text has the same vector.
            let alone = try #require(await provider.respond(to: requests[0], timeout: 60_000).reply?.embeddings)
            #expect(dot(alone[0], first[0]) > 0.999)
            #expect(outcomes.allSatisfy { ($0.reply?.usage.inputTokens ?? 0) > 0 })
            let check = await provider.check(model: "multilingual-e5-small", timeout: 60_000)
            #expect(check.isAvailable, "\(check.reason ?? "")")
        }
    }
}
