import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// Diagnoses why jobs are not called, from the configuration and the state that all processes share.
package struct CallDiagnosis {
    private let settings: Settings
    /// Why providers cannot be called, by name.
    private let unavailable: [String: String]
    private var states: [String: ProviderState]
    private var now: Int64

    /// Makes no provider calls.
    package init(_ settings: Settings, environment: [String: String], _ store: QueueStore, now: Int64) async throws {
        self.settings = settings
        self.now = now
        unavailable = await ProviderOverview.unavailable(settings, environment: environment)
        states = [:]
        try refresh(store, now: now)
    }

    /// Reads the shared state again.
    package mutating func refresh(_ store: QueueStore, now: Int64) throws {
        self.now = now
        states = Dictionary(try store.providers.states().map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    }

    /// What prevents the call of a job; nil if nothing does, or if a fallback can serve it.
    package func obstacle(to job: Job) -> BlockReason? {
        let model = settings.models[job.target.description]
        guard let own = obstacle(to: job.target, job) else { return nil }
        // A limit alone leads to a fallback only if 'fallback_after' is set.
        if case .full = own, model?.fallbackAfter == nil { return own }
        let fallbacks = (model?.fallbacks ?? []).compactMap { Target($0) }
        return fallbacks.contains { obstacle(to: $0, job) == nil } ? nil : own
    }

    /// Why neither a target nor one of its fallbacks can be called from here; nil if one can.
    package func unavailability(of target: Target) -> String? {
        let fallbacks = (settings.models[target.description]?.fallbacks ?? []).compactMap { Target($0) }
        guard let own = unavailability(of: target.provider) else { return nil }
        return fallbacks.contains { unavailability(of: $0.provider) == nil } ? nil : own
    }

    private func unavailability(of provider: String) -> String? {
        guard settings.providers[provider] != nil else { return "provider '\(provider)' is not configured here" }
        return unavailable[provider].map { "provider '\(provider)' is not available here: \($0)" }
    }

    private func obstacle(to target: Target, _ job: Job) -> BlockReason? {
        let provider = target.provider
        if let sentence = unavailability(of: provider) { return .unavailable(sentence) }
        guard let configured = settings.providers[provider] else { return nil }
        var ownLimits = configured.limits
        ownLimits.concurrency = configured.maxConcurrency
        let model = settings.models[target.description]
        let places = [
            ("provider '\(provider)'", states[provider], ownLimits),
            ("'\(target)'", states[target.description], model?.limits ?? CallLimitSettings()),
        ]
        for (name, state, _) in places {
            if let state, let (sentence, cause) = pause(state) { return .paused("\(name) \(sentence)", cause: "\(name) \(cause)") }
        }
        let need = CallNeed(job, price: settings.prices.price(of: target), bound: model?.maxOutputTokens)
        for (name, state, limits) in places {
            if let limit = state.flatMap({ need.exceeded($0, limits) }) { return .full("\(name) has reached its limit of \(limit)") }
        }
        return nil
    }

    private func pause(_ state: ProviderState) -> (sentence: String, cause: String)? {
        if let until = state.pausedUntil {
            if state.pauseClass == .unreachable, let reason = state.pauseReason {
                let sentence = "is down: \(reason); trying again \(Figures.relative(until, now: now))"
                return (sentence, "is down: \(reason)")
            }
            let sentence = "is paused, resumes \(Figures.relative(until, now: now))" + (state.pauseReason.map { ": \($0)" } ?? "")
            return (sentence, "is paused: \(state.pauseClass?.rawValue ?? "")")
        }
        switch state.breaker {
        case .open(let until):
            let failure = state.lastError.map { ": \($0.message)" } ?? ""
            return (
                "has its circuit breaker open after failures, retries \(Figures.next(until, now: now))\(failure)", "breaker"
            )
        case .halfOpen: return ("has its circuit breaker half open: one trial call is running", "breaker")
        case .closed: return nil
        }
    }
}

/// Why a target is not called, as a sentence without a full stop.
package enum BlockReason: Equatable {
    /// This configuration cannot call it.
    case unavailable(String)
    /// It is paused for all processes. The cause leaves out what changes from one moment to the next.
    case paused(String, cause: String)
    /// One of its limits is reached.
    case full(String)

    package var sentence: String {
        switch self {
        case .unavailable(let sentence), .paused(let sentence, _), .full(let sentence): sentence
        }
    }

    /// Equal for two reasons that differ only in their times.
    package var cause: String {
        switch self {
        case .unavailable(let sentence), .full(let sentence): sentence
        case .paused(_, let cause): cause
        }
    }
}

/// A rough estimate of what a call takes from limits: good enough to explain a wait, not to make decisions.
package struct CallNeed {
    private let inputTokens: Double
    private let outputTokens: Double
    /// US dollars, counting every byte as a token.
    private let cost: Double

    package init(_ job: Job, price: ModelPrice?, bound: Int?) {
        let bytes = Double(job.request.text.utf8.count)
        let said = (job.request["max_completion_tokens"] ?? job.request["max_tokens"])?.int ?? bound
        inputTokens = bytes / 4
        outputTokens = job.kind == .generate ? Double(said ?? 512) : 0
        let written = job.kind == .generate ? Double(said ?? 4_096) : 0
        cost = price?.worstCost(inputTokens: Int(bytes), outputTokens: Int(written)) ?? 0
    }

    /// The limit that the call would exceed, in words; nil if there is none.
    package func exceeded(_ state: ProviderState, _ limits: CallLimitSettings) -> String? {
        if let most = limits.concurrency, state.running >= most { return Figures.count(most, "call") + " in flight" }
        let rates: [(ProviderState.Level?, Double, String)] = [
            (state.requests, 1, "requests"), (state.tokens, inputTokens + outputTokens, "tokens"),
            (state.inputTokens, inputTokens, "tokens in"), (state.outputTokens, outputTokens, "tokens out"),
        ]
        for (level, need, name) in rates {
            // A call that needs more than a whole minute's limit runs once the full limit is available.
            guard let level, level.level < min(need, level.capacity) else { continue }
            let unit = level.capacity < 2 && name == "requests" ? "request" : name
            return "\(Figures.decimal(level.capacity.rounded(.down), places: 0)) \(unit) a minute"
        }
        guard let most = limits.usdPerDay, cost > 0, state.spentToday + state.reservedUSD + cost > most else { return nil }
        return "\(Figures.money(most)) a day"
    }
}
