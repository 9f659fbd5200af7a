import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// Checks whether providers can be called.
package enum ProvidersCheck {
    /// Providers whose key or program is missing. It is a fault if the default model needs one of them.
    /// - Parameter reasons: Why each cannot be called, by name.
    package static func unavailable(_ reasons: [String: String], _ settings: Settings) -> [Finding] {
        let standard = Target(settings.defaultModel)?.provider
        return reasons.sorted { $0.key < $1.key }.map { name, reason in
            name == standard
                ? .fault("provider \(name)", "required by default_model: \(reason)", .badConfiguration)
                : .note("provider \(name)", "not available: \(reason)")
        }
    }

    /// Cost limits that have no effect because the model has no price.
    package static func unpriced(_ settings: Settings) -> [Finding] {
        let named = [settings.defaultModel, settings.memory.embeddingModel] + settings.models.keys
        let fallbacks = settings.models.values.flatMap(\.fallbacks)
        return Set(named + fallbacks).sorted().compactMap { name in
            guard let target = Target(name), settings.models[name]?.price == nil else { return nil }
            let limits = [settings.providers[target.provider]?.limits, settings.models[name]?.limits]
            // Even a limit of 0 lets them pass, because a model without a price counts as free.
            guard let most = limits.compactMap({ $0?.usdPerDay }).min(), saysNoCost(settings.providers[target.provider]) else { return nil }
            return .note(
                "target \(name)",
                "has a limit of \(Figures.money(most)) a day but no price, so its calls count as free; set models.\(name).price")
        }
    }

    /// Whether the provider does not report costs, so that a price is needed.
    private static func saysNoCost(_ provider: ProviderSettings?) -> Bool { provider?.kind != .claudeCode }

    /// Providers and targets that are paused or whose circuit breaker is open.
    package static func status(_ states: [ProviderState], now: Int64) -> [Finding] {
        states.compactMap { state in
            let provider = String(state.name.prefix { $0 != "/" })
            let subject = "\(state.isTarget ? "target" : "provider") \(state.name)"
            if let until = state.pausedUntil { return paused(state, provider, subject, Figures.relative(until, now: now)) }
            let last = state.lastError.map { ": \($0.message)" } ?? ""
            switch state.breaker {
            case .open(let until):
                return .note(
                    subject,
                    "circuit breaker open after failures; next trial call \(Figures.relative(until, now: now))\(last); "
                        + "try 'agent-queue providers check \(state.name)'")
            case .halfOpen: return .note(subject, "circuit breaker half open; a trial call is running\(last)")
            case .closed: return nil
            }
        }
    }

    private static func paused(_ state: ProviderState, _ provider: String, _ subject: String, _ end: String) -> Finding {
        let reason = state.pauseReason.map { ": \($0)" } ?? ""
        switch state.pauseClass {
        case .authentication:
            return .fault(
                subject, "is paused, resumes \(end)\(reason); fix its API key, then run 'agent-queue providers resume \(provider)'",
                .unavailable)
        case .quotaExhausted:
            return .fault(
                subject,
                "is paused, resumes \(end)\(reason); add funds to its account, then run 'agent-queue providers resume \(provider)'",
                .unavailable)
        case .unreachable:
            return .note(subject, "is down\(reason); trying again \(end); start the server, or correct its base_url or the network")
        default:
            return .note(subject, "is paused, resumes \(end)\(reason); no action is needed, but a higher limit at the provider would help")
        }
    }
}

/// Checks a configuration that has no errors for likely mistakes.
package enum ConfigurationCheck {
    /// - Parameter unavailable: Why providers cannot be called, by name.
    package static func findings(_ settings: Settings, unavailable: [String: String]) -> [Finding] {
        let source = settings.configPath.map { "read from \($0)" } ?? "no file; using the built-in defaults"
        var findings = [Finding.good("configuration", source)]
        findings += ProvidersCheck.unavailable(unavailable, settings)
        findings += ProvidersCheck.unpriced(settings)
        if settings.durability == .normal {
            findings.append(
                .note("durability", "normal: a power failure may lose the latest commits; set 'durability: full' to prevent that"))
        }
        return findings
    }
}
