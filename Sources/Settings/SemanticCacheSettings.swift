/// `cache.semantic:` — answers from the nearest earlier prompt.
public struct SemanticCacheSettings: Equatable, Sendable {
    /// Whether a near prompt may answer. Default false.
    public var enabled = false
    /// The least cosine similarity that counts as near. Default 0.95, 0 to 1.
    public var threshold = 0.95

    /// Every value at its default: off.
    public init() {}
}
