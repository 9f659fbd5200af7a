import AgentQueueModel
import AgentQueueStore

/// Keys of the gateway as JSON. Scripts rely on it: members may be added but never renamed.
package enum KeyJSON {
    /// - Parameter text: The key itself, right after it was made; it is never shown again.
    package static func key(_ key: APIKey, text: String? = nil, now: Int64) -> JSONValue {
        func list(_ names: [String]) -> JSONValue { .array(names.map { .string($0) }) }
        let members: [JSONValue.Member] = [
            .init("id", .integer(key.id)), .init("name", .string(key.name)), .init("state", .string(KeyState(key, now: now).rawValue)),
            .init("scopes", list(KeyScope.allCases.filter(key.scopes.contains).map(\.rawValue))),
            .init("targets", key.targets.map(list) ?? .null), .init("queue", .string(key.queue)),
            .init("cache", key.cache.map(JSONValue.bool) ?? .null), .init("on_disconnect", JobJSON.string(key.onDisconnect?.rawValue)),
            .init("best_priority", key.bestPriority.map { .integer(Int64($0)) } ?? .null),
            .init("created_at", JobJSON.time(key.createdAt)), .init("expires_at", JobJSON.time(key.expiresAt)),
            .init("last_used_at", JobJSON.time(key.lastUsedAt)), .init("revoked_at", JobJSON.time(key.revokedAt)),
        ]
        return .object(members + (text.map { [.init("key", .string($0))] } ?? []))
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
