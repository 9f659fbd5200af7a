import AgentQueueModel

extension KeyStore {
    /// Makes a key.
    /// - Parameters:
    ///   - secret: 32 random bytes. Only their SHA-256 is stored.
    ///   - actor: who makes it, for the record.
    /// - Throws: `StoreError`; `conflict` if the name is not one, or belongs to a key that has not been revoked.
    package func create(_ key: NewAPIKey, secret: [UInt8], by actor: String) async throws -> APIKey {
        guard APIKey.isName(key.name) else {
            throw StoreError(.conflict, "a key's name is 1 to 40 of the letters a to z, digits and hyphens, not '\(key.name)'")
        }
        return try await write { transaction in
            let insert = try transaction.statement(
                """
                INSERT INTO api_keys (name, hash, scopes, targets, queue, cache, on_disconnect, best_priority, rpm, tpm, concurrency,
                usd_per_day, usd_total, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING
                """
            ).bind(key.name).bind(APIKey.hash(of: secret)).bind(Self.list(key.scopes.map(\.rawValue).sorted()))
                .bind(key.targets.map(Self.list)).bind(key.queue).bind(key.cache.map { $0 ? 1 : 0 }).bind(key.onDisconnect?.rawValue)
                .bind(key.bestPriority)
            let id = try key.limits.bind(to: insert).bind(transaction.now).bind(key.expiresAt).insertedID()
            guard let id, let made = try transaction.key(id) else {
                throw StoreError(.conflict, "there is a key '\(key.name)' already; revoke it or choose another name")
            }
            try transaction.applyLimits(of: made)
            try transaction.audit(actor, "key.create", made.name, "id \(id), scopes \(key.scopes.map(\.rawValue).sorted())")
            return made
        }
    }

    /// Returns a key, whether it is valid or not; nil if there is none.
    package func find(_ id: Int64) throws -> APIKey? {
        try read { try $0.statement(Self.byID).bind(id).first { APIKey($0) } }
    }

    /// Returns the key of a name that has not been revoked.
    package func find(named name: String) throws -> APIKey? {
        try read { try $0.statement(Self.byName).bind(name).first { APIKey($0) } }
    }

    /// Returns all keys, the oldest first.
    /// - Parameter revoked: whether to include those that have been revoked.
    package func list(revoked: Bool = false) throws -> [APIKey] {
        try read { try $0.statement(Self.inOrder).all { APIKey($0) } }.filter { revoked || $0.revokedAt == nil }
    }

    /// Gives a key another secret. The former one ends at once.
    /// - Parameter secret: 32 random bytes.
    /// - Returns: the key; nil if none of that name is there that has not been revoked.
    package func rotate(_ name: String, secret: [UInt8], by actor: String) async throws -> APIKey? {
        try await write { transaction in
            guard let key = try transaction.key(named: name) else { return nil }
            try transaction.statement("UPDATE api_keys SET hash = ? WHERE id = ?").bind(APIKey.hash(of: secret)).bind(key.id).run()
            try transaction.audit(actor, "key.rotate", name, "id \(key.id)")
            return try transaction.key(key.id)
        }
    }

    /// Gives a key other limits. They hold for its next calls, also of jobs that wait.
    /// - Returns: the key; nil if none of that name is there that has not been revoked.
    /// - Throws: `StoreError`; `conflict` if the key shares its queue with another.
    package func setLimits(_ limits: KeyLimits, of name: String, by actor: String) async throws -> APIKey? {
        try await write { transaction in
            guard var key = try transaction.key(named: name) else { return nil }
            key.limits = limits
            let update = try transaction.statement(
                "UPDATE api_keys SET rpm = ?, tpm = ?, concurrency = ?, usd_per_day = ?, usd_total = ? WHERE id = ?")
            try limits.bind(to: update).bind(key.id).run()
            try transaction.applyLimits(of: key)
            try transaction.audit(actor, "key.limits", name, "id \(key.id)")
            transaction.ledger.ringWork()
            return key
        }
    }

    /// Returns what a key has used of its limits; nil if it has none.
    package func use(of id: Int64) throws -> KeyUse? {
        let now = clock.wall()
        return try read { reader in
            let stored = try reader.statement(QuotaLedger.Key.byID).bind(id).first { QuotaLedger.Key($0) }
            guard let stored, !stored.limits.isEmpty else { return nil }
            return KeyUse(stored, try reader.quota(of: stored, now: now), now: now)
        }
    }

    /// Ends a key. Its jobs stay.
    /// - Returns: the key; nil if none of that name is there that has not been revoked.
    package func revoke(_ name: String, by actor: String) async throws -> APIKey? {
        try await write { transaction in
            guard let key = try transaction.key(named: name) else { return nil }
            try transaction.statement("UPDATE api_keys SET revoked_at = ? WHERE id = ?").bind(transaction.now).bind(key.id).run()
            try transaction.audit(actor, "key.revoke", name, "id \(key.id)")
            return try transaction.key(key.id)
        }
    }

    /// Records that a key is used, at most once a minute: otherwise nothing is written.
    /// - Parameter key: the key as it was last read.
    package func touch(_ key: APIKey) async throws {
        guard key.lastUsedAt.map({ clock.wall() - $0 >= Self.touchInterval }) ?? true else { return }
        try await write { transaction in
            _ = try transaction.statement(
                "UPDATE api_keys SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at <= ?)"
            ).bind(transaction.now).bind(key.id).bind(transaction.now - Self.touchInterval).run()
        }
    }

    /// In milliseconds.
    private static let touchInterval: Int64 = 60_000

    private static func list(_ names: [String]) -> String { JSONValue.array(names.map { .string($0) }).text }

    private static let columns = """
        SELECT id, name, hash, scopes, targets, queue, cache, on_disconnect, best_priority, created_at, expires_at, last_used_at, revoked_at,
        rpm, tpm, concurrency, usd_per_day, usd_total
        FROM api_keys
        """
    fileprivate static let byID = SQLText("\(columns) WHERE id = ?")
    fileprivate static let byName = SQLText("\(columns) WHERE name = ? AND revoked_at IS NULL")
    private static let inOrder = SQLText("\(columns) ORDER BY id")
}

extension WriteTransaction {
    fileprivate func key(_ id: Int64) throws(SQLFailure) -> APIKey? { try statement(KeyStore.byID).bind(id).first { APIKey($0) } }

    fileprivate func key(named name: String) throws(SQLFailure) -> APIKey? {
        try statement(KeyStore.byName).bind(name).first { APIKey($0) }
    }
}

extension APIKey {
    fileprivate init(_ row: Statement) {
        // Names that are not known, as those of a later version, allow nothing; a list that cannot be read allows nothing either.
        func names(_ text: String) -> [String] { (try? JSONValue.parse(text))?.array?.compactMap(\.string) ?? [] }
        self.init(
            id: row.int64(0), name: row.text(1), hash: row.blob(2), scopes: Set(names(row.text(3)).compactMap(KeyScope.init(rawValue:))),
            targets: row.optionalText(4).map(names), queue: row.text(5), cache: row.optionalInt64(6).map { $0 != 0 },
            onDisconnect: row.optionalText(7).flatMap(DisconnectPolicy.init(rawValue:)), bestPriority: row.optionalInt64(8).map(Int.init),
            limits: KeyLimits(row, from: 13), createdAt: row.int64(9), expiresAt: row.optionalInt64(10), lastUsedAt: row.optionalInt64(11),
            revokedAt: row.optionalInt64(12))
    }
}
