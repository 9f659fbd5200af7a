import AgentQueueModel
import AgentQueueSettings

/// The settings, providers and time that jobs are validated against.
package struct IntakeContext: Sendable {
    /// Wall clock, in ms since 1970: the start of `delay`, `expires_in` and `deadline`.
    package var now: Int64
    /// The target of a `generate` job that names none.
    package var defaultTarget: Target
    /// The target of an `embed` or `memorize` job that names none.
    package var defaultEmbeddingTarget: Target
    /// The configured providers, for "did you mean".
    package var providerNames: [String]
    /// The identity of a provider (its kind and base URL, as `ModelProvider.identity`), which is part of the cache key; nil for a provider
    /// that is not configured. Called for every job.
    package var identity: @Sendable (_ provider: String) -> String?
    /// The kind of a configured provider, which determines what its batch API accepts. Nil for a provider of the embedding program, which
    /// has no batch API unless it conforms to `BatchProvider`.
    package var kind: @Sendable (_ provider: String) -> ProviderKind?
    /// Whether jobs for a target use the provider's batch API unless they say otherwise.
    package var usesBatchAPI: @Sendable (_ target: Target) -> Bool
    /// Whether the cache is enabled; true by default. Without it, each job makes its own call.
    package var usesCache = true
    /// How long a target's answers are kept in the cache, in ms; half an hour by default.
    package var cacheTimeToLive: @Sendable (_ target: Target) -> Int64 = { _ in 1_800_000 }
    /// Why the money that a job may cost cannot be limited although it has to be, as a sentence; nil if it can be, which is the default.
    package var unlimitedCost: @Sendable (_ target: Target, _ budget: Double?) -> String? = { _, _ in nil }
    /// The prefix of texts that a target embeds as memories; empty by default.
    package var passagePrefix: @Sendable (_ target: Target) -> String = { _ in "" }
    /// The configured notifications, in their order; none by default.
    package var notificationNames: [String] = []
    /// The roles of the configuration, by name; none by default.
    package var roles: [String: RoleSettings] = [:]
    /// Saves compiling the same schema for every line.
    let schemas = SchemaMemory()

    /// Makes a context. By default, all providers are of kind `openai`, and jobs use the batch API only if they say so.
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

    /// The sentence that refuses a provider that is not configured.
    /// - Parameter target: the target that names it, if one does.
    func unknownProvider(_ provider: String, of target: String? = nil) -> String {
        var help = Suggestion.hint(for: provider, in: providerNames)
        if help.isEmpty, !providerNames.isEmpty { help = " (configured: \(providerNames.prefix(20).joined(separator: ", ")))" }
        let place = target.map { " in model \(InvalidText.quoted($0))" } ?? ""
        return "unknown provider \(InvalidText.quoted(provider))\(place)\(help)"
    }
}
