import JobModel

/// What a model's tokens cost, in US dollars per million.
public struct ModelPrice: Sendable, Equatable {
    /// For a million tokens read.
    public var input: Double
    /// For a million tokens written.
    public var output: Double
    /// For a million tokens that the provider's prompt cache held.
    public var cacheRead: Double
    /// For a million tokens that go into the provider's prompt cache.
    public var cacheWrite: Double

    /// Makes a price; what goes through a prompt cache costs what other input does, unless told.
    public init(input: Double, output: Double, cacheRead: Double? = nil, cacheWrite: Double? = nil) {
        self.input = input
        self.output = output
        self.cacheRead = cacheRead ?? input
        self.cacheWrite = cacheWrite ?? input
    }

    /// What an answer cost, in US dollars.
    public func cost(of usage: Usage) -> Double {
        let plain = max(0, usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens)
        return
            (Double(plain) * input + Double(usage.cacheReadTokens) * cacheRead + Double(usage.cacheWriteTokens) * cacheWrite
            + Double(usage.outputTokens) * output) / 1_000_000
    }
}
