import AgentQueueModel

/// What is known of a cache entry.
package struct CacheEntrySummary: Sendable, Equatable {
    /// The cache key, 32 bytes.
    package var digest: [UInt8]
    /// The target that answered.
    package var target: String
    /// The reply as stored.
    package var reply: String
    /// The entry's size in bytes: reply, target, 160 for the rest of its row, and the prompt's vector, if there is one.
    package var bytes: Int
    /// How many jobs the entry has answered.
    package var hits: Int
    /// What each further use saves, in US dollars; nil if the price is unknown.
    package var cost: Double?
    /// Wall clock, in milliseconds.
    package var createdAt: Int64
    /// When the entry expires (wall clock, in milliseconds).
    package var expiresAt: Int64
    /// When the entry was written or last answered a job (wall clock, in milliseconds).
    package var lastUsedAt: Int64

    private static let columns = "digest, target, reply, bytes, hits, cost_usd, created_at, expires_at, last_used_at, unpriced"
    static let latestUsed = SQLText("SELECT \(columns) FROM cache_entries ORDER BY last_used_at DESC LIMIT ?")
    static let betweenDigests = SQLText("SELECT \(columns) FROM cache_entries WHERE digest BETWEEN ? AND ? LIMIT 2")

    init(_ row: Statement) {
        digest = row.blob(0)
        target = row.text(1)
        reply = row.text(2)
        bytes = row.int(3)
        hits = row.int(4)
        cost = row.cost(5, unpriced: 9)
        createdAt = row.int64(6)
        expiresAt = row.int64(7)
        lastUsedAt = row.int64(8)
    }
}

/// Totals of the cache.
package struct CacheStatistics: Sendable, Equatable {
    /// The number of entries, including expired ones until they are pruned.
    package var entries: Int
    /// The total size of the entries in bytes, as counted against the cache's maximum size.
    package var bytes: Int64
    /// How many jobs the cache has answered since the database was created.
    package var hits: Int
    /// How many jobs the cache might have answered but a call did, since the database was created.
    package var misses: Int
    /// How many entries were removed before they expired because the cache was too large, since the database was created.
    package var evictions = 0
    /// How many jobs were answered by an identical job's call, since the database was created.
    package var coalesced = 0
    /// What jobs answered without a call of their own would have cost, in US dollars, since the database was created, as far as it is known;
    /// nil if there are such jobs and the price of none is known.
    package var saved: Double? = 0
}

extension CacheStore {
    /// Returns the most popular answers, in descending order, as many as fit. They are meant to be kept in memory.
    ///
    /// Popularity is `(hits + 1) / (1 + hours since the last use)`, so an answer counts half as much after an hour without use, and a 25th
    /// after a day. Only the most recently used entries are considered: up to four times the limit in number (but no more than 100,000, or
    /// the limit if that is larger) and in bytes, leaving out those that do not fit. Millions of other entries therefore cost nothing.
    /// - Parameters:
    ///   - limit: the maximum number of answers.
    ///   - bytes: the maximum total size, as the store counts it (`CacheEntrySummary.bytes`).
    package func popular(limit: Int, bytes: Int64) throws -> [(digest: [UInt8], reply: CachedReply)] {
        guard limit > 0, bytes > 0 else { return [] }
        let now = clock.wall()
        return try read { reader in
            let statement = try reader.statement(Self.entryOfID)
            return try Self.popularIDs(reader, limit: limit, bytes: bytes, now: now).compactMap { id in
                try statement.bind(id).first { (digest: $0.blob(8), reply: CachedReply($0)) }
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
        // The sort is stable: of equally popular entries, the more recently used one comes first.
        for candidate in candidates.sorted(by: { $0.popularity > $1.popularity }) where candidate.bytes <= room {
            guard chosen.count < limit else { break }
            room -= candidate.bytes
            chosen.append(candidate.id)
        }
        return chosen
    }
}

extension CacheStore {
    /// Returns the cache's totals.
    package func statistics() throws -> CacheStatistics { try read(Self.statistics) }

    static func statistics(_ reader: ReadConnection) throws -> CacheStatistics {
        var values: [String: Int64] = [:]
        try reader.statement("SELECT name, value FROM counters").eachRow { values[$0.text(0)] = $0.int64(1) }
        let saved = try reader.statement(
            "SELECT coalesce(sum(saved_usd), 0.0), coalesce(sum(cache_answers), 0), coalesce(sum(unpriced_answers), 0) FROM lanes"
        ).first { Money.sum($0.double(0), calls: $0.int(1), unpriced: $0.int(2)) }
        return CacheStatistics(
            entries: Int(values["cache_entries"] ?? 0), bytes: values["cache_bytes"] ?? 0, hits: Int(values["cache_hits"] ?? 0),
            misses: Int(values["cache_misses"] ?? 0), evictions: Int(values["cache_evictions"] ?? 0),
            coalesced: Int(values["coalesced"] ?? 0), saved: saved ?? nil)
    }
}
