import Testing

@testable import AgentQueueModel

/// Amounts as people and scripts read them, and what calls of a price cost.
@Suite struct MoneyTests {
    @Test(
        arguments: [
            (nil, "unknown"), (0, "$0"), (1e-12, "less than $0.000000001"), (1e-9, "$0.000000001"), (4.373e-5, "$0.0000437"),
            (0.00123456, "$0.00123"), (0.0999999, "$0.10"), (0.0123, "$0.0123"), (0.25, "$0.25"), (0.5, "$0.50"), (0.996, "$1.00"),
            (1, "$1.00"), (12.345, "$12.35"), (1_234_567.5, "$1,234,567.50"), (-0.25, "-$0.25"),
        ] as [(Double?, String)])
    func anAmountHasEnoughDigitsAndNoExponent(_ dollars: Double?, _ shown: String) {
        #expect(Money.display(dollars) == shown)
    }

    @Test func anUnknownPartIsNeverShownAsNothing() {
        #expect(Money.sum(0, calls: 3, unpriced: 3) == nil && Money.sum(0.5, calls: 3, unpriced: 2) == 0.5)
        #expect(Money.sum(0, calls: 3, unpriced: 2) == 0 && Money.sum(0, calls: 0, unpriced: 0) == 0)
        #expect(Money.display(nil, unpriced: 3) == "unknown" && Money.display(0.5, unpriced: 2) == "over $0.50")
        #expect(Money.display(0, unpriced: 2) == "unknown" && Money.display(0, unpriced: 0) == "$0")
        #expect(Money.json(nil) == .null && Money.json(.nan) == .null)
    }

    @Test(arguments: [(0, "0"), (4.373e-5, "0.00004373"), (1e-12, "0"), (2.5, "2.5"), (-0.5, "-0.5"), (7e-6, "0.000007")])
    func scriptsGetPlainNumbers(_ dollars: Double, _ text: String) {
        #expect(Money.text(dollars) == text && Money.json(dollars).text == text)
    }

    @Test func aLongPromptHasItsOwnPriceForAllTokens() {
        let long = ModelPrice.LongPrompt(above: 100, rates: .init(input: 4, output: 20, cacheRead: 1))
        let price = ModelPrice(.init(input: 2, output: 10, cacheRead: 0.5), long: long)
        #expect(price.cost(of: Usage(inputTokens: 100, outputTokens: 10)) * 1_000_000 == 300)
        #expect(price.cost(of: Usage(inputTokens: 101, outputTokens: 10, cacheReadTokens: 1)) * 1_000_000 == 601)
        #expect(price.worstCost(inputTokens: 100, outputTokens: 10) * 1_000_000 == 300)
        #expect(price.worstCost(inputTokens: 200, outputTokens: 10) * 1_000_000 == 1_000)
    }

    @Test func aProvidersPricesAreUsedWhereATargetHasNone() {
        let prices = ModelPrices(
            ["here/dear": ModelPrice(input: 1, output: 1)],
            providers: ["here": .free, "cli": .reported, "there": .listed { $0 == "m" ? ModelPrice(input: 2, output: 2) : nil }])
        func price(_ target: String) -> Double? { Target(target).flatMap { prices.price(of: $0)?.rates.input } }
        #expect(price("here/m") == 0 && price("here/dear") == 1 && price("there/m") == 2)
        #expect(price("there/n") == nil && price("cli/m") == nil && price("own/m") == nil)
        let limited = ["here/m", "there/m", "there/n", "cli/m", "own/m"].compactMap { Target($0) }.map(prices.canLimit)
        #expect(limited == [true, true, false, true, true])
    }
}
