import AgentQueueDialects
import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

@testable import AgentQueueProviders

/// Against the llama.cpp server that scripts/local-models starts, which speaks Anthropic's API too.
@Suite(.timeLimit(.minutes(5))) struct AnthropicRealModelTests {
    static let url = ProcessInfo.processInfo.environment["AGENT_QUEUE_TEST_CHAT_URL"]

    func request(_ prompt: String, maxTokens: Int64 = 24) -> ModelRequest {
        let messages: JSONValue = [["role": "system", "content": "Be brief."], ["role": "user", "content": .string(prompt)]]
        return ModelRequest(
            kind: .generate, target: Target(provider: "local", model: "smollm2"),
            body: ["messages": messages, "max_tokens": .integer(maxTokens), "temperature": 0])
    }

    @Test(.enabled(if: url != nil)) func plainAndStreamedAreTheSame() async throws {
        try await withAnthropic(try #require(Self.url)) { provider in
            let told = Recorder<String>()
            let asked = request("What is the capital of France?")
            let plain = try #require(await provider.answer(asked, timeout: 120_000).reply)
            let streamed = try #require(await provider.answer(asked, timeout: 120_000, onText: { told.add($0) }).reply)
            #expect(plain.text?.isEmpty == false)
            #expect(streamed.text == plain.text)
            #expect(told.all.joined() == plain.text)
            #expect(told.all.count > 1)
            #expect(streamed.finishReason == plain.finishReason)
            #expect(streamed.usage.inputTokens == plain.usage.inputTokens)
            #expect(streamed.usage.outputTokens == plain.usage.outputTokens)
            #expect(plain.model == "smollm2")
            #expect((1...24).contains(plain.usage.outputTokens))
        }
    }

    @Test(.enabled(if: url != nil)) func aSharedPrefixIsReadFromTheCache() async throws {
        try await withAnthropic(try #require(Self.url), promptCache: .fiveMinutes) { provider in
            let requests = (1...3).map { request("Say \($0).", maxTokens: 4) }
            let outcomes = await provider.respond(to: requests, CallOptions(timeout: 120_000))
            #expect(outcomes.compactMap(\.reply).count == 3)
        }
    }

    @Test(.enabled(if: url != nil)) func theModelChecksOutAndCounts() async throws {
        try await withAnthropic(try #require(Self.url)) { provider in
            let check = await provider.check(model: nil, timeout: 60_000)
            #expect(check.isAvailable, "\(check.reason ?? "")")
            #expect(check.model == "smollm2")
            let asked = request("What is the capital of France?", maxTokens: 1)
            let count = try await provider.countTokens(asked, timeout: 60_000).get()
            #expect(count == (await provider.answer(asked, timeout: 60_000).reply)?.usage.inputTokens)
        }
    }

    @Test(.enabled(if: url != nil)) func itsErrorsAreRead() async throws {
        try await withAnthropic(try #require(Self.url)) { provider in
            let failure = try #require(await provider.answer(request(String(repeating: "word ", count: 20_000)), timeout: 60_000).failure)
            #expect(failure.failure == .permanent, "\(failure)")
        }
    }
}
