/// What a provider can do.
public struct ProviderCapabilities: Sendable, Equatable {
    /// The most `embed` inputs one call may hold.
    public var maxEmbedInputs: Int
    /// The most tokens that the inputs of one call may have together; nil where it is not known.
    public var maxEmbedTokens: Int?
    /// The most bytes that the inputs of one call may have together.
    public var maxEmbedBytes: Int
    /// Whether an answer's text can come piece by piece.
    public var streams: Bool
    /// Whether a JSON Schema for the answer can be passed on, in which case the provider itself holds the model to it.
    public var hasStructuredOutput: Bool

    /// Makes capabilities.
    public init(
        maxEmbedInputs: Int = 2_048, maxEmbedTokens: Int? = nil, maxEmbedBytes: Int = 8 << 20, streams: Bool = false,
        hasStructuredOutput: Bool = false
    ) {
        self.maxEmbedInputs = maxEmbedInputs
        self.maxEmbedTokens = maxEmbedTokens
        self.maxEmbedBytes = maxEmbedBytes
        self.streams = streams
        self.hasStructuredOutput = hasStructuredOutput
    }
}
