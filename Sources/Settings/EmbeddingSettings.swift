/// `providers.<name>.embeddings:` — what one embeddings call may hold.
public struct EmbeddingSettings: Equatable, Sendable {
    /// Most texts in one call, 1 to 10000; nil is the provider kind's own limit.
    public var maxInputs: Int?
    /// Most tokens in one call, all its texts together, 1 to 10 million; nil is the provider kind's own limit.
    public var maxTokens: Int?
    /// Most bytes in one call, all its texts together, 1 KiB to 1 GiB; nil is the provider kind's own limit.
    public var maxBytes: Int64?

    /// The provider kind's own limits.
    public init() {}
}
