/// What the cache says of one of its answers.
package struct CacheEntrySummary: Sendable, Equatable {
    /// The cache key, 32 bytes.
    package var digest: [UInt8]
    /// What answered.
    package var target: String
    /// The reply as stored.
    package var reply: String
    /// The room it takes, in bytes: reply, target, and 160 for the rest of its row; and its prompt's vector, if it has one.
    package var bytes: Int
    /// How many jobs it has answered.
    package var hits: Int
    /// What each further use saves, in US dollars.
    package var cost: Double
    /// Wall clock, ms.
    package var createdAt: Int64
    /// From when it no longer answers (wall clock, ms).
    package var expiresAt: Int64
    /// When it was kept, or last answered a job (wall clock, ms).
    package var lastUsedAt: Int64

    private static let columns = "digest, target, reply, bytes, hits, cost_usd, created_at, expires_at, last_used_at"
    static let latestUsed = SQLText("SELECT \(columns) FROM cache_entries ORDER BY last_used_at DESC LIMIT ?")
    static let betweenDigests = SQLText("SELECT \(columns) FROM cache_entries WHERE digest BETWEEN ? AND ? LIMIT 2")

    init(_ row: Statement) {
        digest = row.blob(0)
        target = row.text(1)
        reply = row.text(2)
        bytes = row.int(3)
        hits = row.int(4)
        cost = row.double(5)
        createdAt = row.int64(6)
        expiresAt = row.int64(7)
        lastUsedAt = row.int64(8)
    }
}

/// The cache's counts.
package struct CacheStatistics: Sendable, Equatable {
    /// Answers kept, expired ones included until they are pruned.
    package var entries: Int
    /// The room they take, in bytes, as far as the cache's bound counts it.
    package var bytes: Int64
    /// Jobs that the cache has answered, ever.
    package var hits: Int
    /// Jobs that might have been answered by the cache but were by a call, ever.
    package var misses: Int
    /// Answers removed before their time because the cache was too large, ever.
    package var evictions = 0
    /// Jobs that were answered by the call of an identical one, ever.
    package var coalesced = 0
    /// What the jobs answered without a call of their own would have cost, in US dollars, ever.
    package var saved: Double = 0
}

extension CacheStore {
    /// The answers that are asked for most, the most popular first, as many as fit: to be kept in memory.
    ///
    /// Popularity is `(hits + 1) / (1 + hours since the last use)`: an answer counts half as much after an hour without use, and a
    /// 25th after a day. Looked at are the latest used answers alone: four times the limit in number (at most 100,000, or the limit) and
    /// in bytes, those that do not fit aside, so that millions of others cost nothing.
    /// - Parameters:
    ///   - limit: the most answers.
    ///   - bytes: the most bytes, as the store counts them (`CacheEntrySummary.bytes`).
    package func popular(limit: Int, bytes: Int64) throws -> [(digest: [UInt8], reply: CachedReply)] {
        guard limit > 0, bytes > 0 else { return [] }
        let now = clock.wall()
        return try read { reader in
            let statement = try reader.statement(Self.entryOfID)
            return try Self.popularIDs(reader, limit: limit, bytes: bytes, now: now).compactMap { id in
                try statement.bind(id).first { (digest: $0.blob(7), reply: CachedReply($0)) }
            }
        }
    }

    private static let entryOfID = SQLText("SELECT \(CachedReply.columns), digest FROM cache_entries WHERE id = ?")

    private static func popularIDs(_ reader: ReadConnection, limit: Int, bytes: Int64, now: Int64) throws -> [Int64] {
        let look = min(limit, 10_000_000) * 4
        var candidates: [(id: Int64, bytes: Int64, popularity: Double)] = []
        var seen: Int64 = 0
        try reader.statement("SELECT id, bytes, hits, last_used_at, expires_at FROM cache_entries ORDER BY last_used_at DESC LIMIT ?")
            .bind(min(look, max(limit, 100_000))).readRows { row in
                let (size, expiry) = (row.int64(1), row.int64(4))
                guard expiry > now, size <= bytes else { return true }
                seen += size
                let hours = Double(max(0, now - row.int64(3))) / 3_600_000
                candidates.append((row.int64(0), size, Double(row.int64(2) + 1) / (1 + hours)))
                return seen / 4 < bytes
            }
        var room = bytes
        var chosen: [Int64] = []
        // Of equals, the later used stays first.
        for candidate in candidates.sorted(by: { $0.popularity > $1.popularity }) where candidate.bytes <= room {
            guard chosen.count < limit else { break }
            room -= candidate.bytes
            chosen.append(candidate.id)
        }
        return chosen
    }
}

extension CacheStore {
    /// The cache's counts.
    package func statistics() throws -> CacheStatistics { try read(Self.statistics) }

    static func statistics(_ reader: ReadConnection) throws -> CacheStatistics {
        var values: [String: Int64] = [:]
        try reader.statement("SELECT name, value FROM counters").eachRow { values[$0.text(0)] = $0.int64(1) }
        let saved = try reader.statement("SELECT coalesce(sum(saved_usd), 0.0) FROM lanes").first { $0.double(0) }
        return CacheStatistics(
            entries: Int(values["cache_entries"] ?? 0), bytes: values["cache_bytes"] ?? 0, hits: Int(values["cache_hits"] ?? 0),
            misses: Int(values["cache_misses"] ?? 0), evictions: Int(values["cache_evictions"] ?? 0),
            coalesced: Int(values["coalesced"] ?? 0), saved: saved ?? 0)
    }
}
