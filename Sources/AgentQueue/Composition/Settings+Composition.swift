import AgentQueueModel
import AgentQueueProviders
import AgentQueueSettings
import AgentQueueStore
import AgentQueueWorker
import Logging

extension Settings {
    /// The settings and providers that jobs are validated against.
    /// - Parameters:
    ///   - now: wall clock, in ms.
    ///   - own: the embedding program's providers. One with the name of a configured provider replaces it.
    package func intakeContext(now: Int64, own: [any ModelProvider] = []) -> IntakeContext {
        var identities = providers.mapValues { ProviderIdentity.of(kind: $0.kind.rawValue, baseURL: $0.baseURL) }
        for provider in own { identities[provider.name] = provider.identity }
        var ofConfiguration = providers.mapValues(\.kind)
        // What the batch API of a program's own provider accepts is its own affair, so nothing is refused beforehand, as for `openai`.
        for provider in own { ofConfiguration[provider.name] = provider is any BatchProvider ? .openai : nil }
        let (known, kinds) = (identities, ofConfiguration)
        let batched = Set(models.filter(\.value.batchAPI).keys)
        var context = IntakeContext(
            now: now, defaultTarget: Self.target(defaultModel), defaultEmbeddingTarget: Self.target(memory.embeddingModel),
            providerNames: known.keys.sorted(), identity: { known[$0] }, kind: { kinds[$0] },
            // Most configurations name none; the target's text is then not made for the lookup.
            usesBatchAPI: { !batched.isEmpty && batched.contains($0.description) })
        context.usesCache = cache.enabled
        context.cacheTimeToLive = { [self] in cacheTTL(of: $0.description).milliseconds }
        context.notificationNames = notifications.keys.sorted()
        context.roles = roles
        context.unlimitedCost = unlimitedCosts(own: Set(own.map(\.name)))
        context.passagePrefix = { [self] in passagePrefix(of: $0.description) }
        return context
    }

    /// The options for opening the store.
    package var storeOptions: StoreOptions {
        StoreOptions(durability: durability)
    }

    /// How many calls a worker process may make of one host at once: those of its slots, with the extra ones beside a provider that hangs,
    /// and a few of provider batches and searches.
    var maxCalls: Int { effectiveWorker.concurrency + max(1, effectiveWorker.concurrency / 2) + 8 }

    /// The configuration of a worker.
    /// - Parameters:
    ///   - queues: the queues to serve; nil for all.
    ///   - drains: whether it ends when they are empty.
    ///   - available: the names of the providers that can be called here.
    package func workerConfiguration(queues: Set<String>? = nil, drains: Bool = false, available: Set<String>) -> WorkerConfiguration {
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

    /// The in-memory cache of answers in front of the store, with the most used ones already loaded if `cache.warm_on_start` is set; nil
    /// if none are kept in memory.
    package func responseCache(of store: QueueStore, logger: Logger) -> ResponseCache? {
        guard cache.enabled, cache.maxEntries > 0, cache.maxBytes > 0 else { return nil }
        let answers = ResponseCache(maxEntries: cache.maxEntries, maxBytes: cache.maxBytes, clock: store.clock.wall)
        if cache.warmOnStart {
            do {
                _ = try answers.warm(from: store)
            } catch {
                // The worker starts anyway: an answer that is not in memory is read from the store.
                logger.warning("the cache could not be warmed", metadata: ["error": "\(error)"])
            }
        }
        return answers
    }

    /// What pruning keeps.
    package var prunePolicy: PrunePolicy {
        var policy = PrunePolicy(
            completed: retention.completed.milliseconds, cancelled: retention.cancelled.milliseconds,
            discarded: retention.discarded.milliseconds, maxCacheBytes: cache.maxBytes, memories: memoryCaps)
        policy.cachedCalls = serve.keepCached.milliseconds
        return policy
    }

    /// A target whose text the configuration has already checked.
    static func target(_ text: String) -> Target { Target(text) ?? Target(provider: text, model: "") }
}

extension Settings {
    /// How memories are stored and recalled.
    package var memoryConfiguration: MemoryConfiguration {
        var configuration = MemoryConfiguration(model: embeddingTarget, recallTemplate: memory.recallTemplate) { [self] in prefixes(of: $0)
        }
        configuration.makesVectors = memory.vectors
        configuration.retention = memory.retention.duration?.milliseconds
        configuration.retentions = memory.namespaces.compactMapValues { $0.retention.map { $0.duration?.milliseconds } }
        configuration.approximateAbove = memory.approximateAbove
        configuration.indexBytes = Int(clamping: memory.indexBytes)
        return configuration
    }

    /// The target that embeds texts, `memory.embedding_model`.
    package var embeddingTarget: Target { Self.target(memory.embeddingModel) }

    /// The prefixes of texts that a target embeds.
    package func prefixes(of target: Target) -> TextPrefixes {
        TextPrefixes(query: queryPrefix(of: target.description), passage: passagePrefix(of: target.description))
    }

    /// An embedder that calls a target directly.
    /// - Parameters:
    ///   - provider: the target's provider.
    ///   - prefixes: nil for those of the configuration.
    package func embedder(
        of target: Target, _ provider: any ModelProvider, store: QueueStore, prefixes: TextPrefixes? = nil
    ) -> Embedder {
        let prefixes = prefixes ?? self.prefixes(of: target)
        return Embedder(
            store: store, provider: provider, target: target, queryPrefix: prefixes.query, passagePrefix: prefixes.passage,
            prices: prices, timeout: http.requestTimeout.milliseconds,
            cacheTimeToLive: cache.enabled ? cacheTTL(of: target.description).milliseconds : nil)
    }
}

extension Settings {
    /// The limits on memories that pruning applies.
    package var memoryCaps: MemoryPolicy {
        let caps = memory.namespaces.mapValues { MemoryPolicy.Cap(rows: $0.maxRows, bytes: $0.maxBytes) }
        return MemoryPolicy(maxBytes: memory.maxBytes, namespaces: caps.filter { $0.value.rows != nil || $0.value.bytes != nil })
    }
}
