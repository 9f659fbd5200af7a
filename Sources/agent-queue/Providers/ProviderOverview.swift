import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import Glibc

/// A configured provider, with how it stands.
struct ProviderOverview {
    let name: String
    let settings: ProviderSettings
    /// Its address as `config show` prints it: a password in one is masked.
    let address: String?
    let key: APIKey
    /// Why it cannot be called from here; nil where it can.
    let unavailable: String?
    /// What all processes know of it; nil where nothing is known.
    let state: ProviderState?
    /// The same for its targets.
    let targets: [ProviderState]

    /// All that are configured, by name. Makes no database where there is none.
    static func all(_ session: Session) async throws -> [ProviderOverview] {
        let states = try await states(session)
        let unavailable = await unavailable(session)
        let addresses = Dictionary(session.settings.entries.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        return session.settings.providers.sorted { $0.key < $1.key }.map { name, settings in
            ProviderOverview(
                name: name, settings: settings, address: addresses["providers.\(name).base_url"],
                key: settings.resolveAPIKey(environment: session.environment), unavailable: unavailable[name],
                state: states.first { $0.name == name }, targets: states.filter { $0.isTarget && $0.name.hasPrefix("\(name)/") })
        }
    }

    /// Why providers cannot be called from here, by name. Calls none.
    static func unavailable(_ session: Session) async -> [String: String] {
        let set = ProviderSet(session.settings, environment: session.environment)
        // Nothing was called, so there is nothing that could fail to end.
        try? await set.shutdown()
        return set.unavailable
    }

    private static func states(_ session: Session) async throws -> [ProviderState] {
        var status = stat()
        guard stat(session.settings.database, &status) == 0 else { return [] }
        return try await session.withStore(createsFile: false) { store in try store.providerStates() }
    }
}

/// Providers in the shape that scripts rely on: keys may be added, never renamed.
enum ProviderJSON {
    /// A configured provider, with how it stands.
    static func provider(_ provider: ProviderOverview) -> JSONValue {
        .object(
            [
                .init("name", .string(provider.name)), .init("kind", .string(provider.settings.kind.rawValue)),
                .init("base_url", JobJSON.string(provider.address)), .init("command", JobJSON.string(provider.settings.command)),
                .init("key", .string(word(provider.key))), .init("available", .bool(provider.unavailable == nil)),
                .init("reason", JobJSON.string(provider.unavailable)),
                .init("limits", limits(provider.settings)),
            ] + standing(provider.state) + [.init("targets", .array(provider.targets.map(state)))])
    }

    /// What is known of a provider or target.
    static func state(_ state: ProviderState) -> JSONValue {
        .object([.init("name", .string(state.name))] + standing(state))
    }

    private static func standing(_ state: ProviderState?) -> [JSONValue.Member] {
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
            .init("spent_today_usd", Money.json(state?.spentToday ?? 0)), .init("reserved_usd", Money.json(state?.reservedUSD ?? 0)),
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

    private static func word(_ key: APIKey) -> String {
        switch key {
        case .notNeeded: "not_needed"
        case .found: "found"
        case .missing: "missing"
        }
    }
}
