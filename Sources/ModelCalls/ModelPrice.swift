import JobModel

/// What a model's tokens cost, in US dollars per million.
public struct ModelPrice: Sendable, Equatable {
    /// For a million tokens read, cached ones included.
    public var input: Double
    /// For a million tokens written.
    public var output: Double

    /// Makes a price.
    public init(input: Double, output: Double) {
        self.input = input
        self.output = output
    }

    /// What an answer cost, in US dollars.
    public func cost(of usage: Usage) -> Double {
        (Double(usage.inputTokens) * input + Double(usage.outputTokens) * output) / 1_000_000
    }
}
