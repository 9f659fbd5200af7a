import AgentQueueModel

/// Something that was done to keys or through the gateway.
package struct AuditEntry: Sendable, Equatable {
    package var id: Int64
    /// Wall clock, in milliseconds.
    package var at: Int64
    /// Who did it: a key's name, or another name that the caller gave.
    package var actor: String
    /// What was done, such as `key.revoke`.
    package var action: String
    /// What it was done to.
    package var subject: String
    package var detail: String?

    /// How long entries are kept, in milliseconds: 90 days.
    package static let kept: Int64 = 90 * 86_400_000
}

extension KeyStore {
    /// Returns the newest entries, the newest first.
    /// - Parameter before: an entry's id; only older ones are returned.
    package func audit(limit: Int = 100, before: Int64? = nil) throws -> [AuditEntry] {
        try read { reader in
            try reader.statement("SELECT id, at, actor, action, subject, detail FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?")
                .bind(before ?? .max).bind(limit).all { row in
                    AuditEntry(
                        id: row.int64(0), at: row.int64(1), actor: row.text(2), action: row.text(3), subject: row.text(4),
                        detail: row.optionalText(5))
                }
        }
    }

    /// Records something that was done elsewhere. What the store does itself is recorded with it, in one transaction.
    package func record(_ action: String, on subject: String, by actor: String, detail: String? = nil) async throws {
        try await write { try $0.audit(actor, action, subject, detail) }
    }
}

extension WriteTransaction {
    func audit(_ actor: String, _ action: String, _ subject: String, _ detail: String? = nil) throws(SQLFailure) {
        try statement("INSERT INTO audit (at, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?)")
            .bind(now).bind(actor).bind(action).bind(subject).bind(detail).run()
    }

    /// Removes one slice of the entries that have been kept long enough. Returns how many.
    func pruneAudit(before: Int64, slice: Int) throws(SQLFailure) -> Int {
        try statement("DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? ORDER BY at LIMIT ?)")
            .bind(before).bind(slice).run()
    }
}
