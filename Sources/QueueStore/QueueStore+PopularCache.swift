import Foundation
import GRDB

extension QueueStore {
    /// The answers that are asked for most, the most popular first, as many as fit: to be kept in memory.
    ///
    /// Popularity is `(hits + 1) / (1 + hours since the last use)`: an answer counts half as much after an hour without use, and a
    /// 25th after a day. Looked at are the latest used answers alone: four times the limit in number (at most 100,000, or the limit) and
    /// in bytes, those that do not fit aside, so that millions of others cost nothing.
    /// - Parameters:
    ///   - limit: the most answers.
    ///   - bytes: the most bytes, as the store counts them (`CacheEntrySummary.bytes`).
    public func popularCacheEntries(limit: Int, bytes: Int64) throws -> [(digest: [UInt8], reply: CachedReply)] {
        guard limit > 0, bytes > 0 else { return [] }
        let now = clock.wall()
        return try read { database in
            try Self.popularIDs(database, limit: limit, bytes: bytes, now: now).compactMap { id in
                let statement = try database.cachedStatement(sql: "SELECT \(CachedReply.columns), digest FROM cache_entries WHERE id = ?")
                return try Row.fetchOne(statement, arguments: [id]).map { ([UInt8]($0[7] as Data), CachedReply($0)) }
            }
        }
    }

    private static func popularIDs(_ database: Database, limit: Int, bytes: Int64, now: Int64) throws -> [Int64] {
        let look = min(limit, 10_000_000) * 4
        let rows = try Row.fetchCursor(
            database, sql: "SELECT id, bytes, hits, last_used_at, expires_at FROM cache_entries ORDER BY last_used_at DESC LIMIT ?",
            arguments: [min(look, max(limit, 100_000))])
        var candidates: [(id: Int64, bytes: Int64, popularity: Double)] = []
        var seen: Int64 = 0
        while seen / 4 < bytes, let row = try rows.next() {
            let (size, expiry): (Int64, Int64) = (row[1], row[4])
            guard expiry > now, size <= bytes else { continue }
            seen += size
            let hours = Double(max(0, now - row[3])) / 3_600_000
            candidates.append((row[0], size, Double(row[2] as Int64 + 1) / (1 + hours)))
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
