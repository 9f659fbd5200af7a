import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// Looks at the providers: whether they can be called, and whether they are.
enum ProvidersCheck {
    /// Providers without their key or program. That the default model's provider is one of them is a fault: nothing is answered.
    /// - Parameter reasons: why providers cannot be called from here, by name.
    static func unavailable(_ reasons: [String: String], _ settings: Settings) -> [Finding] {
        let standard = Target(settings.defaultModel)?.provider
        return reasons.sorted { $0.key < $1.key }.map { name, reason in
            name == standard
                ? .fault("provider \(name)", "default_model needs it: \(reason)", ExitStatus.badConfiguration.rawValue)
                : .note("provider \(name)", "cannot be called: \(reason)")
        }
    }

    /// Limits on money that count nothing, because nobody said what the model costs.
    static func unpriced(_ settings: Settings) -> [Finding] {
        let named = [settings.defaultModel, settings.memory.embeddingModel] + settings.models.keys
        let fallbacks = settings.models.values.flatMap(\.fallbacks)
        return Set(named + fallbacks).sorted().compactMap { name in
            guard let target = Target(name), settings.models[name]?.price == nil else { return nil }
            let limits = [settings.providers[target.provider]?.limits, settings.models[name]?.limits]
            // A limit of 0 lets pass what costs nothing, which is what such a model is taken for.
            guard let most = limits.compactMap({ $0?.usdPerDay }).min(), saysNoCost(settings.providers[target.provider]) else { return nil }
            return .note(
                "target \(name)",
                "has a limit of \(Figures.money(most)) a day, but no price: its calls count as free; set models.\(name).price")
        }
    }

    /// Whether a provider's answers do not say what they cost, so that a price is needed.
    private static func saysNoCost(_ provider: ProviderSettings?) -> Bool { provider?.kind != .claudeCode }

    /// Providers and targets that are not called now.
    /// - Parameter now: wall clock, ms.
    static func standing(_ states: [ProviderState], now: Int64) -> [Finding] {
        states.compactMap { state in
            let provider = String(state.name.prefix { $0 != "/" })
            let subject = "\(state.isTarget ? "target" : "provider") \(state.name)"
            if let until = state.pausedUntil { return paused(state, provider, subject, Figures.relative(until, now: now)) }
            let last = state.lastError.map { ": \($0.message)" } ?? ""
            switch state.breaker {
            case .open(let until):
                return .note(
                    subject,
                    "failed too often and is left alone; a trial call \(Figures.relative(until, now: now))\(last); "
                        + "see 'agent-queue providers check \(state.name)'")
            case .halfOpen: return .note(subject, "failed too often; one call finds out whether it works again\(last)")
            case .closed: return nil
            }
        }
    }

    private static func paused(_ state: ProviderState, _ provider: String, _ subject: String, _ end: String) -> Finding {
        let reason = state.pauseReason.map { ": \($0)" } ?? ""
        switch state.pauseClass {
        case .authentication:
            return .fault(
                subject, "is paused, goes on \(end)\(reason); mend its key, then run 'agent-queue providers resume \(provider)'",
                ExitStatus.unavailable.rawValue)
        case .quotaExhausted:
            return .fault(
                subject, "is paused, goes on \(end)\(reason); top up its account, then run 'agent-queue providers resume \(provider)'",
                ExitStatus.unavailable.rawValue)
        default:
            return .note(subject, "is paused, goes on \(end)\(reason); it needs nothing, or a higher limit there")
        }
    }
}

/// Looks at a configuration that is right in itself.
enum ConfigurationCheck {
    static func findings(_ session: Session) async -> [Finding] {
        let settings = session.settings
        let source = settings.configPath.map { "read from \($0)" } ?? "no file; the built-in defaults apply"
        var findings = [Finding.good("configuration", source)]
        findings += ProvidersCheck.unavailable(await ProviderOverview.unavailable(session), settings)
        findings += ProvidersCheck.unpriced(settings)
        if settings.durability == .normal {
            findings.append(.note("durability", "normal: a power cut may lose the latest commits; 'durability: full' does not"))
        }
        return findings
    }
}
