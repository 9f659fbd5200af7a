import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueWorker
import Synchronization

/// The embedding models that memories need. Each is opened on first use, so that only reading memories opens no connection.
final class EmbeddingModels: Sendable {
    private struct State {
        var providers: ProviderSet?
        var embedders: [Target: Embedder] = [:]
    }

    private let settings: Settings
    private let store: QueueStore
    private let environment: [String: String]
    private let own: [any ModelProvider]
    private let state = Mutex(State())

    init(_ settings: Settings, store: QueueStore, environment: [String: String], own: [any ModelProvider]) {
        self.settings = settings
        self.store = store
        self.environment = environment
        self.own = own
    }

    /// The model that identifies the vectors of a target's texts.
    func model(_ target: Target) -> VectorModel {
        VectorModel(target: target.description, passagePrefix: settings.prefixes(of: target).passage)
    }

    /// The embedder for a target.
    /// - Throws: `InputError` (`usage`) if its provider is not available.
    func embedder(for target: Target) throws -> Embedder {
        try state.withLock { state in
            if let embedder = state.embedders[target] { return embedder }
            let providers = state.providers ?? ProviderSet(settings, environment: environment, own: own)
            state.providers = providers
            guard let provider = providers.providers.first(where: { $0.name == target.provider }) else {
                throw unavailable(target, providers)
            }
            let embedder = settings.embedder(of: target, provider, store: store)
            state.embedders[target] = embedder
            return embedder
        }
    }

    /// Closes connections. Call it after the last call.
    func shutdown() async throws {
        let providers = state.withLock { state in
            defer { state = State() }
            return state.providers
        }
        try await providers?.shutdown()
    }

    private func unavailable(_ target: Target, _ providers: ProviderSet) -> InputError {
        let name = InvalidText.quoted(target.provider)
        let reason = providers.unavailable[target.provider] ?? "it is not in the configuration"
        return InputError("the embedding model \(target) cannot be called, for provider \(name) is not available: \(reason)", kind: .usage)
    }
}

extension VectorModel {
    /// The model of vectors that the user provides.
    package static let brought = VectorModel(target: "-")
}
