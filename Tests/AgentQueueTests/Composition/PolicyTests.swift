import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import Testing

@testable import AgentQueue

/// What the configuration says about limits, fallbacks and money, as workers go by it.
@Suite struct PolicyTests {
    @Test(
        arguments: [
            (#"{"max_tokens":100,"messages":[]}"#, 100), (#"{"max_completion_tokens":7,"messages":[]}"#, 7), (#"{"messages":[]}"#, nil),
            // Only what stands before the messages counts, however much a prompt looks like it.
            (#"{"messages":[{"content":"\"max_tokens\":9","role":"user"}]}"#, nil),
            (#"{"functions":[{"parameters":{"max_tokens":5}}],"max_tokens":200,"messages":[]}"#, 200),
            (#"{"max_tokens":"many","messages":[]}"#, nil),
        ] as [(String, Int?)])
    func theBoundOfAnAnswerIsFound(_ body: String, _ bound: Int?) {
        #expect(CallEstimate.answerBound(in: body) == bound)
    }

    @Test func moneyIsNotGuessed() throws {
        let price = ModelPrice(input: 3, output: 15)
        let body = #"{"max_tokens":1000,"messages":[{"content":"hello","role":"user"}]}"#
        let estimate = CallEstimate(kind: .generate, body: body, bound: nil, price: price)
        // Every byte a token.
        #expect(abs(estimate.worstCost - (Double(body.utf8.count) * 3 + 1_000 * 15) / 1_000_000) < 1e-12)
        #expect(estimate.inputTokens == body.utf8.count / 4 + 1)
        #expect(CallEstimate(kind: .embed, body: body, bound: nil, price: price).outputTokens == 0)
        #expect(CallEstimate(kind: .generate, body: #"{"messages":[]}"#, bound: 50, price: nil).outputTokens == 50)
    }

    @Test func fallbacksWithoutTheirProviderAreLeftOut() throws {
        var settings = Settings(database: "/nonexistent/queue.db")
        var model = ModelSettings()
        model.fallbacks = ["openai/gpt-5", "local/smollm2"]
        model.fallbackAfter = .seconds(30)
        settings.models = ["anthropic/claude-sonnet-4-5": model]
        let name = "anthropic/claude-sonnet-4-5"
        func targets(_ available: Set<String>) -> [String]? {
            settings.callPolicies(available: available).routes[name]?.targets.map(\.description)
        }
        #expect(targets(["anthropic", "openai", "local"]) == [name, "openai/gpt-5", "local/smollm2"])
        // Without a key for its own provider, the fallbacks serve.
        #expect(targets(["local"]) == ["local/smollm2"])
        #expect(targets([]) == nil)
        #expect(settings.callPolicies(available: ["local"]).routes[name]?.fallbackAfter == 30_000)
    }

    @Test func limitsOfProvidersAndModelsAreTold() throws {
        var settings = Settings(database: "/nonexistent/queue.db")
        var model = ModelSettings()
        model.limits.rpm = 5
        settings.models = ["openai/gpt-5": model]
        let limits = settings.callPolicies(available: []).limits
        #expect(limits["openai"]?.requestsPerMinute == 500)
        #expect(limits["openai"]?.usdPerDay == 20)
        #expect(limits["openai/gpt-5"]?.requestsPerMinute == 5)
        // The tighter of both words for it.
        #expect(limits["claude-code"]?.concurrency == 3)
        #expect(limits["local"] == nil)
    }

    @Test func whatGoesThroughAnthropicsPromptCacheHasItsPrice() throws {
        var settings = Settings(database: "/nonexistent/queue.db")
        settings.models["openai/gpt-5"] = ModelSettings()
        settings.models["openai/gpt-5"]?.price = .init(inputPerMTok: 2, outputPerMTok: 8)
        let price = try #require(settings.prices.price(of: Target(provider: "anthropic", model: "claude-sonnet-4-5")))
        #expect(abs(price.rates.cacheRead - 0.3) < 1e-12)
        #expect(price.rates.cacheWrite == 3.75)
        #expect(settings.prices.price(of: Target(provider: "openai", model: "gpt-5"))?.rates.cacheRead == 2)
        let usage = Usage(inputTokens: 1_000_000, outputTokens: 0, cacheReadTokens: 600_000, cacheWriteTokens: 200_000)
        #expect(abs(price.cost(of: usage) - (0.2 * 3 + 0.6 * 0.3 + 0.2 * 3.75)) < 1e-9)
    }
}
