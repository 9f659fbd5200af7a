/// What a provider can do.
public struct ProviderCapabilities: Sendable, Equatable {
    /// The most `embed` inputs one call may hold.
    public var maxEmbedInputs: Int

    /// Makes capabilities.
    public init(maxEmbedInputs: Int = 2_048) {
        self.maxEmbedInputs = maxEmbedInputs
    }
}
