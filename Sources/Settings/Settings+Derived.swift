extension Settings {
    /// The worker's settings as they apply: with `ENABLE_ASYNC=false` one process, one call at a time, one job a claim, no lingering.
    public var effectiveWorker: WorkerSettings {
        guard !enableAsync else { return worker }
        var worker = worker
        worker.concurrency = 1
        worker.processes = 1
        worker.batchSize = 1
        worker.linger = .zero
        return worker
    }

    /// The provider that a target names; nil if the configuration has none of that name.
    public func provider(of target: TargetName) -> ProviderSettings? {
        providers[target.provider]
    }

    /// What holds for a target; the defaults if the configuration says nothing about it.
    public func model(_ target: TargetName) -> ModelSettings {
        models[target.description] ?? ModelSettings()
    }

    /// What is put before a text that looks for others, for a target that embeds. The E5 models want `query: ` and `passage: `, as their
    /// authors say (Wang et al., "Text Embeddings by Weakly-Supervised Contrastive Pre-training", 2022); others nothing.
    public func queryPrefix(of target: String) -> String { models[target]?.queryPrefix ?? (Self.isE5(target) ? "query: " : "") }

    /// What is put before a text that is remembered, for a target that embeds.
    public func passagePrefix(of target: String) -> String { models[target]?.passagePrefix ?? (Self.isE5(target) ? "passage: " : "") }

    /// Whether a part of the model's name is `e5`.
    private static func isE5(_ target: String) -> Bool {
        let model = target.drop { $0 != "/" }.lowercased()
        return model.split(whereSeparator: { !$0.isLetter && !$0.isNumber }).contains("e5")
    }

    /// How long a memory of a namespace is kept when it does not say itself.
    public func retention(ofNamespace name: String) -> Duration { memory.namespaces[name]?.retention ?? memory.retention }

    /// How long a reply answers for requests to a target, where its job does not say.
    public func cacheTTL(of target: String) -> Duration { models[target]?.cacheTTL ?? cache.ttl }
}
