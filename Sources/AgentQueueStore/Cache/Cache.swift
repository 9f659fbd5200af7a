import AgentQueueModel
import Foundation

extension CacheStore {
    /// Returns the cached reply to a request, without counting a use.
    package func reply(_ digest: [UInt8]) throws -> CachedReply? {
        let now = clock.wall()
        return try read { try $0.statement(CachedReply.ofDigest).bind(digest).bind(now).first(CachedReply.init) }
    }

    /// Returns the digests of the requests that the cache answers.
    package func answered(_ digests: [[UInt8]]) throws -> Set<[UInt8]> {
        let now = clock.wall()
        return try read { reader in
            let statement = try reader.statement("SELECT 1 FROM cache_entries WHERE digest = ? AND +expires_at > ?")
            return try Set(digests.filter { try statement.bind($0).bind(now).exists() })
        }
    }

    /// Returns cache entries, most recently used first.
    package func entries(limit: Int) throws -> [CacheEntrySummary] {
        try read { try $0.statement(CacheEntrySummary.latestUsed).bind(limit).all(CacheEntrySummary.init) }
    }

    /// Returns the entries whose digest begins with these hexadecimal digits: at most two, so that a caller can detect an ambiguous
    /// prefix.
    package func entries(digestPrefix prefix: String) throws -> [CacheEntrySummary] {
        guard (1...64).contains(prefix.utf8.count) else { return [] }
        let missing = 64 - prefix.utf8.count
        guard let first = Hexadecimal.bytes(prefix + String(repeating: "0", count: missing)),
            let last = Hexadecimal.bytes(prefix + String(repeating: "f", count: missing))
        else { return [] }
        return try read {
            try $0.statement(CacheEntrySummary.betweenDigests).bind(first).bind(last).all(CacheEntrySummary.init)
        }
    }

    /// Deletes an entry. Returns whether it existed.
    package func delete(_ digest: [UInt8]) async throws -> Bool {
        try await write { try $0.deleteCacheEntries("digest = ?", limit: 1) { $0.bind(digest) } == 1 }
    }

    /// Deletes every entry, in slices. Returns how many there were.
    package func clear() async throws -> Int {
        var total = 0
        while true {
            let deleted = try await write { try $0.deleteCacheEntries("?1 = 1", limit: 500) { $0.bind(1 as Int64) } }
            total += deleted
            if deleted < 500 { return total }
        }
    }
}

extension WriteTransaction {
    /// Returns the cached reply to a request. Does not count a use; `complete` does.
    func cachedReply(_ digest: [UInt8]) throws(SQLFailure) -> CachedReply? {
        try statement(
            """
            SELECT reply, target, input_tokens, output_tokens, cost_usd, created_at, expires_at, unpriced
            FROM cache_entries WHERE digest = ? AND +expires_at > ?
            """
        ).bind(digest).bind(now).first { CachedReply($0) }
    }

    /// Writes the result of a job that the cache answers, and counts the use.
    func complete(_ job: Int64, lane: Int64, _ digest: [UInt8], from cached: CachedReply) throws(SQLFailure) {
        let usage = Usage(inputTokens: cached.inputTokens, outputTokens: cached.outputTokens)
        try writeResult(of: job, reply: cached.reply, by: .cache, target: cached.target, usage: usage)
        try statement("UPDATE cache_entries SET hits = hits + 1, last_used_at = ? WHERE digest = ?").bind(now).bind(digest).run()
        ledger.save(lane: lane, cost: cached.cost)
    }

    /// Caches an answer. Replaces an existing entry, because the newer one lasts longer.
    func cache(_ entry: CacheWrite, result: JobResult, reply: String) throws(SQLFailure) {
        let createdAt = entry.createdAt ?? now
        // An existing entry keeps its vector, because the prompt is the same.
        let old = try statement(
            """
            SELECT bytes, coalesce((SELECT length(vector) + 2 * length(model) + 128 FROM cache_vectors
                                    WHERE entry_id = cache_entries.id), 0) FROM cache_entries WHERE digest = ?
            """
        ).bind(entry.digest).first { (bytes: $0.int64(0), vector: $0.int64(1)) }
        // 160 bytes for the row's other columns and its indexes.
        let bytes = Int64(reply.utf8.count + result.target.utf8.count + 160) + (old?.vector ?? 0)
        try statement(
            """
            INSERT INTO cache_entries (digest, target, reply, bytes, input_tokens, output_tokens, cost_usd, created_at, expires_at,
            last_used_at, unpriced) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?8, ?10) ON CONFLICT (digest) DO UPDATE SET target = ?2,
            reply = ?3, bytes = ?4, input_tokens = ?5, output_tokens = ?6, cost_usd = ?7, created_at = ?8, expires_at = ?9,
            last_used_at = ?8, unpriced = ?10
            """
        ).bind(entry.digest).bind(result.target).bind(reply).bind(bytes).bind(result.usage.inputTokens)
            .bind(result.usage.outputTokens).bind(result.cost ?? 0).bind(createdAt).bind(createdAt + entry.timeToLive)
            .bind(result.cost == nil).run()
        ledger.count(.cacheBytes, by: bytes - (old?.bytes ?? 0))
        if old == nil { ledger.count(.cacheEntries) }
    }

    /// Deletes up to `limit` entries that match a condition, which is a literal of this module. `bind` binds its values.
    func deleteCacheEntries(_ condition: StaticString, limit: Int, _ bind: (Statement) -> Void) throws(SQLFailure) -> Int {
        let statement = try statement(
            building: """
                DELETE FROM cache_entries WHERE id IN (SELECT id FROM cache_entries WHERE \(condition) LIMIT \(limit)) RETURNING bytes
                """)
        bind(statement)
        let sizes = try statement.all { $0.int64(0) }
        ledger.count(.cacheBytes, by: -sizes.reduce(0, +))
        ledger.count(.cacheEntries, by: -Int64(sizes.count))
        return sizes.count
    }
}

/// A cached answer.
package struct CachedReply: Sendable, Equatable {
    /// The reply as stored (`ModelReply.json`).
    package var reply: String
    /// The target that answered.
    package var target: String
    /// The input tokens of the call that was paid for.
    package var inputTokens: Int
    /// The output tokens of the call that was paid for.
    package var outputTokens: Int
    /// The cost of that call in US dollars; nil if the price is unknown.
    package var cost: Double?
    /// When the entry was written (wall clock, in milliseconds). It serves as the entry's version, since replacing an answer changes it.
    package var createdAt: Int64
    /// When the entry expires (wall clock, in milliseconds).
    package var expiresAt: Int64

    package init(
        reply: String, target: String, inputTokens: Int, outputTokens: Int, cost: Double?, createdAt: Int64, expiresAt: Int64
    ) {
        self.reply = reply
        self.target = target
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.cost = cost
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}

extension CachedReply {
    static let columns = "reply, target, input_tokens, output_tokens, cost_usd, created_at, expires_at, unpriced"

    /// Selects the reply of a digest that has not expired at a given time.
    static let ofDigest = SQLText("SELECT \(columns) FROM cache_entries WHERE digest = ? AND +expires_at > ?")

    /// Reads ``columns``.
    init(_ row: Statement) {
        self.init(
            reply: row.text(0), target: row.text(1), inputTokens: row.int(2), outputTokens: row.int(3), cost: row.cost(4, unpriced: 7),
            createdAt: row.int64(5), expiresAt: row.int64(6))
    }
}

/// The key and lifetime of an answer to cache.
package struct CacheWrite: Sendable, Equatable {
    /// The cache key, 32 bytes.
    package var digest: [UInt8]
    /// How long the entry is valid, in milliseconds.
    package var timeToLive: Int64
    /// When the answer was received (wall clock, in milliseconds), which is its version; nil means the transaction's time.
    package var createdAt: Int64?

    package init(digest: [UInt8], timeToLive: Int64, createdAt: Int64? = nil) {
        self.digest = digest
        self.timeToLive = timeToLive
        self.createdAt = createdAt
    }
}
