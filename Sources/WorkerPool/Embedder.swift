import JobModel
import Logging
import ModelCalls
import QueueStore

/// Turns texts into vectors by one configured model, at once: many texts share a call, the answers are cached, and what was paid is on
/// record.
public struct Embedder: Sendable {
    /// What embeds, and the prefix of what is remembered.
    public let model: VectorModel

    /// Makes one.
    /// - Parameters:
    ///   - provider: who embeds.
    ///   - target: what embeds.
    ///   - queryPrefix: put before a text that looks for others, such as `query: `.
    ///   - passagePrefix: put before a text that is remembered, such as `passage: `.
    ///   - price: what its tokens cost; nil is unknown.
    ///   - timeout: how long a call may take, in ms.
    public init(
        store: QueueStore, provider: any ModelProvider, target: Target, queryPrefix: String, passagePrefix: String, price: ModelPrice?,
        timeout: Int64
    ) {
        model = VectorModel(target: target.description, passagePrefix: passagePrefix)
    }

    /// The vectors of texts, in their order. Rate limits and failures that pass are waited for and tried again, a few times.
    /// - Throws: `ModelFailure`, of the first text that could not be embedded; what came before it is cached. `CancellationError`.
    public func embed(_ texts: [String], as purpose: TextPurpose) async throws -> [[Float]] {
        throw ModelFailure(.permanent, "not built yet")
    }
}
