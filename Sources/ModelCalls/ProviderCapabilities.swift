/// What a provider can do.
public struct ProviderCapabilities: Sendable, Equatable {
    /// The most `embed` inputs one call may hold.
    public var maxEmbedInputs: Int
    /// Whether an answer's text can come piece by piece.
    public var streams: Bool
    /// Whether a JSON Schema for the answer can be passed on, in which case the provider itself holds the model to it.
    public var hasStructuredOutput: Bool

    /// Makes capabilities.
    public init(maxEmbedInputs: Int = 2_048, streams: Bool = false, hasStructuredOutput: Bool = false) {
        self.maxEmbedInputs = maxEmbedInputs
        self.streams = streams
        self.hasStructuredOutput = hasStructuredOutput
    }
}
