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

    /// How long a reply answers for requests to a target, where its job does not say.
    public func cacheTTL(of target: String) -> Duration { models[target]?.cacheTTL ?? cache.ttl }
}
