import AgentQueueModel
import AgentQueueSettings

/// What validating a job needs to know of the world outside it.
package struct IntakeContext: Sendable {
    /// Wall clock, ms since 1970: what `delay`, `expires_in` and `deadline` count from.
    package var now: Int64
    /// The target of a `generate` job that names none.
    package var defaultTarget: Target
    /// The target of an `embed` or `memorize` job that names none.
    package var defaultEmbeddingTarget: Target
    /// The configured providers, for "did you mean".
    package var providerNames: [String]
    /// Who answers for a provider (its kind and base URL, as `ModelProvider.identity`), which goes into the cache key; nil for a
    /// provider that is not configured. Called for every job.
    package var identity: @Sendable (_ provider: String) -> String?
    /// The kind of a configured provider: what its batch API takes. Nil for a provider of the embedding program, which has none.
    package var kind: @Sendable (_ provider: String) -> ProviderKind?
    /// Whether jobs that do not say use the provider's batch API.
    package var usesBatchAPI: @Sendable (_ target: Target) -> Bool
    /// Whether the cache serves anyone; true by default. Without it, each job has a call of its own.
    package var usesCache = true
    /// What is put before the texts of a target that remembers them; nothing by default.
    package var passagePrefix: @Sendable (_ target: Target) -> String = { _ in "" }
    /// The configured notifications, in their order; none by default.
    package var notificationNames: [String] = []
    /// The roles of the configuration, by name; none by default.
    package var roles: [String: RoleSettings] = [:]
    /// Spares checking the same schema for every line.
    let schemas = SchemaMemory()

    /// Makes a context; of providers of kind `openai`, and no job that uses the batch API without saying so, unless told.
    package init(
        now: Int64, defaultTarget: Target, defaultEmbeddingTarget: Target, providerNames: [String],
        identity: @escaping @Sendable (_ provider: String) -> String?,
        kind: @escaping @Sendable (_ provider: String) -> ProviderKind? = { _ in .openai },
        usesBatchAPI: @escaping @Sendable (_ target: Target) -> Bool = { _ in false }
    ) {
        self.now = now
        self.defaultTarget = defaultTarget
        self.defaultEmbeddingTarget = defaultEmbeddingTarget
        self.providerNames = providerNames
        self.identity = identity
        self.kind = kind
        self.usesBatchAPI = usesBatchAPI
    }
}
