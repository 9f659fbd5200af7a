/// `providers.<name>.embeddings:` — what one embeddings call may hold.
public struct EmbeddingSettings: Equatable, Sendable {
    /// Most texts in one call, 1 to 10000; nil is the provider kind's own limit.
    public var maxInputs: Int?

    /// The provider kind's own limit.
    public init() {}
}
