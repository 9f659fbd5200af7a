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

    /// The list prices that costs are counted with, and the models that the configuration names whose price is unknown.
    package static func prices(_ settings: Settings) -> [Finding] {
        let named = [settings.defaultModel, settings.memory.embeddingModel] + settings.models.keys
        let fallbacks = settings.models.values.flatMap(\.fallbacks)
        let prices = settings.prices
        let unknown = Set(named + fallbacks).sorted().compactMap { name -> Finding? in
            guard let target = Target(name), !prices.canLimit(target) else { return nil }
            return .note("target \(name)", "its price is unknown, and so are the costs of its calls; set models.\(name).price")
        }
        let own = settings.models.count { name, model in
            model.price != nil && settings.origin(of: "models.\(name).price.input_per_mtok") != .builtIn
        }
        let list = "list prices of \(PriceList.shipped.date)" + (own > 0 ? "; \(Figures.count(own, "price")) set by the configuration" : "")
        return [.good("prices", list)] + unknown
    }

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
                    "circuit breaker open after failures; next trial call \(Figures.next(until, now: now))\(last); "
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
            let what = state.pauseReason ?? "it cannot be reached"
            return .note(subject, "\(what); trying again \(end); start the server, or correct its base_url or the network")
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
        findings += ProvidersCheck.prices(settings)
        if settings.durability == .normal {
            findings.append(
                .note("durability", "normal: a power failure may lose the latest commits; set 'durability: full' to prevent that"))
        }
        return findings
    }
}
