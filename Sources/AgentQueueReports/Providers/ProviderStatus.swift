import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// The status of a provider or target in a few words.
package struct ProviderStatus: Sendable {
    /// Escaped, on one line.
    package let text: String
    package let tone: Tone

    /// - Parameters:
    ///   - unavailable: Why it cannot be called; nil if it can.
    ///   - state: Nil if there is none yet.
    package init(unavailable: String?, _ state: ProviderState?, now: Int64) {
        (text, tone) = Self.words(unavailable, state, now)
    }

    private static func words(_ unavailable: String?, _ state: ProviderState?, _ now: Int64) -> (String, Tone) {
        if let unavailable { return (DisplayText.line(unavailable), .warning) }
        guard let state else { return ("ready", .good) }
        if let until = state.pausedUntil {
            if state.pauseClass == .unreachable, let reason = state.pauseReason {
                return (DisplayText.line("down, trying again \(Figures.next(until, now: now)): \(reason)"), .bad)
            }
            let reason = state.pauseReason.map { ": \($0)" } ?? ""
            return (DisplayText.line("paused, resumes \(Figures.relative(until, now: now))\(reason)"), .bad)
        }
        switch state.breaker {
        case .open(let until): return ("circuit breaker open, retries \(Figures.next(until, now: now))", .bad)
        case .halfOpen: return ("circuit breaker half open", .warning)
        case .closed: return state.isOnTrial ? ("recovering, one call at a time", .warning) : ("ready", .good)
        }
    }

    /// What is used of each of its limits: `12 of 500 requests/min; 3 of 10 calls`.
    /// - Parameter limits: The configured limits; nil if they are not known.
    package static func limits(_ state: ProviderState?, _ limits: CallLimitSettings?) -> String {
        let rates: [(String, ProviderState.Level?, Int?)] = [
            ("requests", state?.requests, limits?.rpm), ("tokens", state?.tokens, limits?.tpm),
            ("tokens in", state?.inputTokens, limits?.itpm), ("tokens out", state?.outputTokens, limits?.otpm),
        ]
        var parts = rates.compactMap { name, level, configured in
            if let level {
                let learnt = level.isLearnt ? ", learned" : ""
                return "\(whole(level.capacity - level.level.rounded(.down))) of \(whole(level.capacity)) \(name)/min\(learnt)"
            }
            return configured.map { "0 of \(Figures.count($0)) \(name)/min" }
        }
        if let concurrency = limits?.concurrency { parts.append("\(Figures.count(state?.running ?? 0)) of \(concurrency) calls") }
        return parts.joined(separator: "; ")
    }

    /// `$1.20 of $20`
    package static func spending(_ state: ProviderState?, _ limits: CallLimitSettings?) -> String {
        let spent = Figures.money(state?.spentToday ?? 0, unpriced: state?.unpricedToday ?? 0)
        return limits?.usdPerDay.map { "\(spent) of \(Figures.money($0))" } ?? spent
    }

    /// The last error and its age.
    package static func lastError(_ state: ProviderState?, now: Int64) -> String {
        guard let error = state?.lastError else { return "" }
        return DisplayText.line("\(Figures.relative(error.at, now: now)): \(error.message)")
    }

    private static func whole(_ value: Double) -> String { Figures.decimal(max(0, value.rounded(.down)), places: 0) }
}
