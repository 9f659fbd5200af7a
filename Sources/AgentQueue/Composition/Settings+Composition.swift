import JobModel
import ModelCalls
import ModelProviders
import QueueStore
import ResponseCache
import Settings
import WorkerPool

extension Settings {
    /// What validating a job needs to know.
    /// - Parameter now: wall clock, ms.
    public func intakeContext(now: Int64) -> IntakeContext {
        let identities = providers.mapValues { ProviderIdentity.of(kind: $0.kind.rawValue, baseURL: $0.baseURL) }
        let kinds = providers.mapValues(\.kind)
        let batched = Set(models.filter(\.value.batchAPI).keys)
        var context = IntakeContext(
            now: now, defaultTarget: Self.target(defaultModel), defaultEmbeddingTarget: Self.target(memory.embeddingModel),
            providerNames: providers.keys.sorted(), identity: { identities[$0] }, kind: { kinds[$0] ?? .openai },
            // Most configurations name none: then no target is spelt out for the look-up.
            usesBatchAPI: { !batched.isEmpty && batched.contains($0.description) })
        context.usesCache = cache.enabled
        context.notificationNames = notifications.keys.sorted()
        context.roles = roles
        context.passagePrefix = { [self] in passagePrefix(of: $0.description) }
        return context
    }

    /// How a store is opened.
    public var storeOptions: StoreOptions {
        StoreOptions(durability: Durability(rawValue: durability.rawValue) ?? .full)
    }

    /// How a worker works.
    /// - Parameters:
    ///   - queues: the queues to serve; nil is all.
    ///   - drains: whether it ends when they are empty.
    ///   - available: the names of the providers that can be called here.
    public func workerConfiguration(queues: Set<String>? = nil, drains: Bool = false, available: Set<String>) -> WorkerConfiguration {
        let worker = effectiveWorker
        var configuration = WorkerConfiguration(
            concurrency: worker.concurrency, queues: queues, batchSize: worker.batchSize, lease: worker.lease.milliseconds,
            shutdownGrace: worker.shutdownGrace.milliseconds, callTimeout: http.requestTimeout.milliseconds,
            cacheTimeToLive: cache.enabled ? cache.ttl.milliseconds : nil, prices: prices, policies: callPolicies(available: available),
            maxOutputTokens: models.compactMapValues(\.maxOutputTokens), drains: drains)
        configuration.coalesces = enableAsync
        configuration.linger = worker.linger.milliseconds
        configuration.cacheTimesToLive = models.compactMapValues { $0.cacheTTL?.milliseconds }
        let exceptions = models.compactMapValues(\.semanticCache)
        if cache.enabled, cache.semantic.enabled || exceptions.values.contains(true) {
            configuration.semantic = SemanticPolicy(
                model: Self.target(memory.embeddingModel), prefix: queryPrefix(of: memory.embeddingModel),
                threshold: cache.semantic.threshold,
                isUsual: cache.semantic.enabled,
                exceptions: exceptions)
        }
        configuration.memory = memoryConfiguration
        configuration.batchPolicies = providers.mapValues { provider in
            BatchPolicy(
                linger: (provider.batch.linger ?? BatchSettings.usual).milliseconds,
                poll: (provider.batch.poll ?? BatchSettings.usual).milliseconds,
                timeout: min(BatchPolicy().timeout, http.requestTimeout.milliseconds))
        }
        return configuration
    }

    /// The answers that a process keeps in memory in front of the store, with the popular ones if it is to begin with these; nil keeps
    /// none there.
    public func responseCache(of store: QueueStore) -> ResponseCache? {
        guard cache.enabled, cache.maxEntries > 0, cache.maxBytes > 0 else { return nil }
        let answers = ResponseCache(maxEntries: cache.maxEntries, maxBytes: cache.maxBytes, clock: store.clock.wall)
        // Without them it only has to read more.
        if cache.warmOnStart { _ = try? answers.warm(from: store) }
        return answers
    }

    /// What pruning keeps.
    public var prunePolicy: PrunePolicy {
        PrunePolicy(
            completed: retention.completed.milliseconds, cancelled: retention.cancelled.milliseconds,
            discarded: retention.discarded.milliseconds, maxCacheBytes: cache.maxBytes, memories: memoryCaps)
    }

    /// A target that the configuration has checked already.
    static func target(_ text: String) -> Target { Target(text) ?? Target(provider: text, model: "") }
}
