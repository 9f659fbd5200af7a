/// The tokens of an answer, as the provider counted them.
public struct Usage: Sendable, Hashable {
    /// Tokens read, cached ones included.
    public var inputTokens: Int
    /// Tokens written.
    public var outputTokens: Int

    /// Tokens read and written; none by default.
    public init(inputTokens: Int = 0, outputTokens: Int = 0) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }
}
