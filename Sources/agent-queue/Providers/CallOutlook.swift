import AgentQueue
import JobModel
import QueueStore
import Settings

/// Whether what jobs are sent to can be called now, as this configuration and all processes know.
struct CallOutlook {
    private let settings: Settings
    /// Why providers cannot be called from here, by name.
    private let unavailable: [String: String]
    private let states: [String: ProviderState]
    private let now: Int64

    /// Looks. Calls no provider.
    init(_ session: Session, _ store: QueueStore) async throws {
        settings = session.settings
        unavailable = await ProviderOverview.unavailable(session)
        states = Dictionary(try store.providerStates().map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        now = Now.milliseconds
    }

    /// What keeps a job from being called for; nil where nothing does, or a fallback can serve.
    func obstacle(to job: Job) -> Obstacle? {
        let model = settings.models[job.target.description]
        guard let own = obstacle(to: job.target, job) else { return nil }
        // For limits alone a fallback is asked only where 'fallback_after' says when.
        if case .full = own, model?.fallbackAfter == nil { return own }
        let fallbacks = (model?.fallbacks ?? []).compactMap { Target($0) }
        return fallbacks.contains { obstacle(to: $0, job) == nil } ? nil : own
    }

    private func obstacle(to target: Target, _ job: Job) -> Obstacle? {
        let provider = target.provider
        guard let configured = settings.providers[provider] else {
            return .unavailable("provider '\(provider)' is not configured here")
        }
        if let reason = unavailable[provider] { return .unavailable("provider '\(provider)' is unavailable here: \(reason)") }
        var ownLimits = configured.limits
        ownLimits.concurrency = configured.maxConcurrency
        let model = settings.models[target.description]
        let places = [
            ("provider '\(provider)'", states[provider], ownLimits),
            ("'\(target)'", states[target.description], model?.limits ?? CallLimitSettings()),
        ]
        for (name, state, _) in places {
            if let sentence = state.flatMap({ pause($0) }) { return .paused("\(name) \(sentence)") }
        }
        let need = CallNeed(job, price: model?.price, bound: model?.maxOutputTokens)
        for (name, state, limits) in places {
            if let limit = state.flatMap({ need.exceeded($0, limits) }) { return .full("\(name) has no room within its limit of \(limit)") }
        }
        return nil
    }

    private func pause(_ state: ProviderState) -> String? {
        if let until = state.pausedUntil {
            return "is paused, goes on \(Figures.relative(until, now: now))" + (state.pauseReason.map { ": \($0)" } ?? "")
        }
        switch state.breaker {
        case .open(let until): return "is left alone after failures (breaker open), a trial \(Figures.relative(until, now: now))"
        case .halfOpen: return "is tried with one call (breaker half open)"
        case .closed: return nil
        }
    }
}
