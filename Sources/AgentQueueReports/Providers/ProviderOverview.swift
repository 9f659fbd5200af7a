import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// A configured provider with its status.
package struct ProviderOverview {
    package let name: String
    package let settings: ProviderSettings
    /// With a password masked, as `config show` prints it.
    package let address: String?
    package let key: KeyLookup
    /// Why it cannot be called; nil if it can.
    package let unavailable: String?
    /// State shared by all processes; nil if there is none yet.
    package let state: ProviderState?
    /// State of its targets.
    package let targets: [ProviderState]

    /// All configured providers by name. Makes no calls.
    /// - Parameter states: Their states in the database; empty if there is no database yet.
    package static func all(
        _ settings: Settings, environment: [String: String], states: [ProviderState]
    ) async -> [ProviderOverview] {
        let unavailable = await unavailable(settings, environment: environment)
        let addresses = Dictionary(settings.entries.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        return settings.providers.sorted { $0.key < $1.key }.map { name, provider in
            ProviderOverview(
                name: name, settings: provider, address: addresses["providers.\(name).base_url"],
                key: provider.resolveAPIKey(environment: environment), unavailable: unavailable[name],
                state: states.first { $0.name == name }, targets: states.filter { $0.isTarget && $0.name.hasPrefix("\(name)/") })
        }
    }

    /// Why providers cannot be called, by name. Makes no calls.
    package static func unavailable(_ settings: Settings, environment: [String: String]) async -> [String: String] {
        let set = ProviderSet(settings, environment: environment)
        // Nothing was called, so shutting down cannot lose anything.
        try? await set.shutdown()
        return set.unavailable
    }
}

/// Providers as JSON. Scripts rely on it: keys may be added but never renamed.
package enum ProviderJSON {
    /// A configured provider with its status.
    package static func provider(_ provider: ProviderOverview) -> JSONValue {
        .object(
            [
                .init("name", .string(provider.name)), .init("kind", .string(provider.settings.kind.rawValue)),
                .init("base_url", JobJSON.string(provider.address)), .init("command", JobJSON.string(provider.settings.command)),
                .init("key", .string(word(provider.key))), .init("available", .bool(provider.unavailable == nil)),
                .init("reason", JobJSON.string(provider.unavailable)),
                .init("limits", limits(provider.settings)),
            ] + status(provider.state) + [.init("targets", .array(provider.targets.map(state)))])
    }

    /// The shared state of a provider or target.
    package static func state(_ state: ProviderState) -> JSONValue {
        .object([.init("name", .string(state.name))] + status(state))
    }

    private static func status(_ state: ProviderState?) -> [JSONValue.Member] {
        [
            .init("paused_until", JobJSON.time(state?.pausedUntil)), .init("pause_class", JobJSON.string(state?.pauseClass?.rawValue)),
            .init("pause_reason", JobJSON.string(state?.pauseReason)), .init("on_trial", .bool(state?.isOnTrial ?? false)),
            .init("breaker", breaker(state?.breaker ?? .closed)), .init("running", .integer(Int64(state?.running ?? 0))),
            .init(
                "left_per_minute",
                .object([
                    .init("requests", level(state?.requests)), .init("tokens", level(state?.tokens)),
                    .init("input_tokens", level(state?.inputTokens)), .init("output_tokens", level(state?.outputTokens)),
                ])),
            .init("spent_today_usd", Money.json(state.map { $0.unpricedToday > 0 && $0.spentToday == 0 ? nil : $0.spentToday } ?? 0)),
            .init("unpriced_today", .integer(Int64(state?.unpricedToday ?? 0))),
            .init("reserved_usd", Money.json(state?.reservedUSD ?? 0)),
            .init("last_error", state?.lastError.map(error) ?? .null),
        ]
    }

    private static func breaker(_ breaker: ProviderState.Breaker) -> JSONValue {
        let (word, until): (JSONValue, Int64?) =
            switch breaker {
            case .closed: ("closed", nil)
            case .open(let until): ("open", until)
            case .halfOpen: ("half_open", nil)
            }
        return .object([.init("state", word), .init("until", JobJSON.time(until))])
    }

    private static func level(_ level: ProviderState.Level?) -> JSONValue {
        guard let level else { return .null }
        return .object([
            .init("limit", .double(level.capacity)), .init("left", .double(level.level.rounded(.down))),
            .init("learnt", .bool(level.isLearnt)),
        ])
    }

    private static func error(_ error: ProviderState.LastError) -> JSONValue {
        .object([
            .init("class", .string(error.failure.rawValue)), .init("message", .string(error.message)), .init("at", JobJSON.time(error.at)),
        ])
    }

    private static func limits(_ settings: ProviderSettings) -> JSONValue {
        let limits = settings.limits
        func integer(_ value: Int?) -> JSONValue { value.map { .integer(Int64($0)) } ?? .null }
        return .object([
            .init("rpm", integer(limits.rpm)), .init("tpm", integer(limits.tpm)), .init("itpm", integer(limits.itpm)),
            .init("otpm", integer(limits.otpm)), .init("concurrency", integer(settings.maxConcurrency)),
            .init("usd_per_day", JobJSON.number(limits.usdPerDay)),
        ])
    }

    private static func word(_ key: KeyLookup) -> String {
        switch key {
        case .notNeeded: "not_needed"
        case .found: "found"
        case .missing: "missing"
        }
    }
}
