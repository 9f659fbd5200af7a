import JobModel
import ModelCalls
import QueueStore
import Settings
import WorkerPool

extension Settings {
    /// How texts are remembered and recalled.
    public var memoryConfiguration: MemoryConfiguration {
        var configuration = MemoryConfiguration(model: embeddingTarget, recallTemplate: memory.recallTemplate) { [self] in prefixes(of: $0)
        }
        configuration.makesVectors = memory.vectors
        configuration.retention = memory.retention.milliseconds
        configuration.retentions = memory.namespaces.compactMapValues { $0.retention?.milliseconds }
        configuration.approximateAbove = memory.approximateAbove
        configuration.indexBytes = Int(clamping: memory.indexBytes)
        return configuration
    }

    /// What turns texts into vectors, `memory.embedding_model`.
    public var embeddingTarget: Target { Self.target(memory.embeddingModel) }

    /// What is put before the texts of a target that embeds.
    public func prefixes(of target: Target) -> TextPrefixes {
        TextPrefixes(query: queryPrefix(of: target.description), passage: passagePrefix(of: target.description))
    }

    /// What embeds texts by a target, at once.
    /// - Parameters:
    ///   - provider: the target's.
    ///   - prefixes: nil are those of the configuration.
    public func embedder(
        of target: Target, _ provider: any ModelProvider, store: QueueStore, prefixes: TextPrefixes? = nil
    ) -> Embedder {
        let prefixes = prefixes ?? self.prefixes(of: target)
        return Embedder(
            store: store, provider: provider, target: target, queryPrefix: prefixes.query, passagePrefix: prefixes.passage,
            price: prices[target.description], timeout: http.requestTimeout.milliseconds,
            cacheTimeToLive: cache.enabled ? cacheTTL(of: target.description).milliseconds : nil)
    }
}
