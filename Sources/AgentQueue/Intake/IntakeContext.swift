import JobModel

/// What validating a job needs to know of the world outside it.
public struct IntakeContext: Sendable {
    /// Wall clock, ms since 1970: what `delay` and `expires_in` count from.
    public var now: Int64
    /// The target of a `generate` job that names none.
    public var defaultTarget: Target
    /// The target of an `embed` job that names none.
    public var defaultEmbeddingTarget: Target
    /// The configured providers, for "did you mean".
    public var providerNames: [String]
    /// Who answers for a provider (its kind and base URL, as `ModelProvider.identity`), which goes into the cache key; nil for a
    /// provider that is not configured. Called for every job.
    public var identity: @Sendable (_ provider: String) -> String?
    /// Spares checking the same schema for every line.
    let schemas = SchemaMemory()

    /// Makes a context.
    public init(
        now: Int64, defaultTarget: Target, defaultEmbeddingTarget: Target, providerNames: [String],
        identity: @escaping @Sendable (_ provider: String) -> String?
    ) {
        self.now = now
        self.defaultTarget = defaultTarget
        self.defaultEmbeddingTarget = defaultEmbeddingTarget
        self.providerNames = providerNames
        self.identity = identity
    }
}
