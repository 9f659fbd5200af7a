import Foundation
import GRDB

/// What the cache says of one of its answers.
public struct CacheEntrySummary: Sendable, Equatable {
    /// The cache key, 32 bytes.
    public var digest: [UInt8]
    /// What answered.
    public var target: String
    /// The reply as stored.
    public var reply: String
    /// The room it takes, in bytes: reply, target, and 160 for the rest of its row; and its prompt's vector, if it has one.
    public var bytes: Int
    /// How many jobs it has answered.
    public var hits: Int
    /// What each further use saves, in US dollars.
    public var cost: Double
    /// Wall clock, ms.
    public var createdAt: Int64
    /// From when it no longer answers (wall clock, ms).
    public var expiresAt: Int64
    /// When it was kept, or last answered a job (wall clock, ms).
    public var lastUsedAt: Int64

    static let columns = "digest, target, reply, bytes, hits, cost_usd, created_at, expires_at, last_used_at"

    init(_ row: Row) {
        digest = [UInt8](row[0] as Data)
        target = row[1]
        reply = row[2]
        bytes = row[3]
        hits = row[4]
        cost = row[5]
        createdAt = row[6]
        expiresAt = row[7]
        lastUsedAt = row[8]
    }
}
