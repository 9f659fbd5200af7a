/// The tokens of an answer, as the provider counted them.
public struct Usage: Sendable, Hashable {
    /// Tokens read, cached ones included.
    public var inputTokens: Int
    /// Tokens written.
    public var outputTokens: Int
    /// Of `inputTokens`, those that the provider had in its prompt cache.
    public var cacheReadTokens: Int
    /// Of `inputTokens`, those that it put into its prompt cache.
    public var cacheWriteTokens: Int

    /// Tokens read and written; none by default.
    public init(inputTokens: Int = 0, outputTokens: Int = 0, cacheReadTokens: Int = 0, cacheWriteTokens: Int = 0) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.cacheReadTokens = cacheReadTokens
        self.cacheWriteTokens = cacheWriteTokens
    }

    /// Both together.
    public static func + (one: Usage, other: Usage) -> Usage {
        Usage(
            inputTokens: one.inputTokens + other.inputTokens, outputTokens: one.outputTokens + other.outputTokens,
            cacheReadTokens: one.cacheReadTokens + other.cacheReadTokens, cacheWriteTokens: one.cacheWriteTokens + other.cacheWriteTokens)
    }
}
