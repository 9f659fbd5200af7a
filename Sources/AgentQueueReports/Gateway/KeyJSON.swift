import AgentQueueModel
import AgentQueueStore

/// Keys of the gateway as JSON. Scripts rely on it: members may be added but never renamed.
package enum KeyJSON {
    /// - Parameters:
    ///   - text: The key itself, right after it was made; it is never shown again.
    ///   - use: What it has used of its limits, if that is shown.
    package static func key(_ key: APIKey, text: String? = nil, use: KeyUse? = nil, now: Int64) -> JSONValue {
        func list(_ names: [String]) -> JSONValue { .array(names.map { .string($0) }) }
        let members: [JSONValue.Member] = [
            .init("id", .integer(key.id)), .init("name", .string(key.name)), .init("state", .string(KeyState(key, now: now).rawValue)),
            .init("scopes", list(KeyScope.allCases.filter(key.scopes.contains).map(\.rawValue))),
            .init("targets", key.targets.map(list) ?? .null), .init("queue", .string(key.queue)),
            .init("cache", key.cache.map(JSONValue.bool) ?? .null), .init("on_disconnect", JobJSON.string(key.onDisconnect?.rawValue)),
            .init("best_priority", key.bestPriority.map { .integer(Int64($0)) } ?? .null),
            .init("limits", limits(key.limits)), .init("created_at", JobJSON.time(key.createdAt)),
            .init("expires_at", JobJSON.time(key.expiresAt)),
            .init("last_used_at", JobJSON.time(key.lastUsedAt)), .init("revoked_at", JobJSON.time(key.revokedAt)),
        ]
        return .object(
            members + (use.map { [.init("use", self.use($0))] } ?? []) + (text.map { [.init("key", .string($0))] } ?? []))
    }

    private static func limits(_ limits: KeyLimits) -> JSONValue {
        func number(_ value: Int?) -> JSONValue { value.map { .integer(Int64($0)) } ?? .null }
        func money(_ value: Double?) -> JSONValue { value.map { .double($0) } ?? .null }
        return [
            "rpm": number(limits.requestsPerMinute), "tpm": number(limits.tokensPerMinute), "concurrency": number(limits.concurrency),
            "usd_per_day": money(limits.usdPerDay), "usd_total": money(limits.usdTotal),
        ]
    }

    private static func use(_ use: KeyUse) -> JSONValue {
        [
            "requests_remaining": use.requests.map { .integer(Int64($0.remaining)) } ?? .null,
            "tokens_remaining": use.tokens.map { .integer(Int64($0.remaining)) } ?? .null, "running": .integer(Int64(use.running)),
            "spent_today_usd": .double(use.spentToday), "spent_usd": .double(use.spent), "reserved_usd": .double(use.reserved),
        ]
    }
}

/// Whether a key opens the gateway.
package enum KeyState: String, Sendable {
    case valid
    case expired
    case revoked

    package init(_ key: APIKey, now: Int64) {
        self = key.revokedAt != nil ? .revoked : key.isValid(at: now) ? .valid : .expired
    }
}
