import JobModel
import QueueStore

/// What the cache says of an answer, as JSON.
enum CacheJSON {
    static func entry(_ entry: CacheEntrySummary, withReply: Bool) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("digest", .string(Hexadecimal.text(entry.digest))),
            .init("target", .string(entry.target)),
            .init("bytes", .integer(Int64(entry.bytes))),
            .init("hits", .integer(Int64(entry.hits))),
            .init("cost_usd", Money.json(entry.cost)),
            .init("created_at", JobJSON.time(entry.createdAt)),
            .init("expires_at", JobJSON.time(entry.expiresAt)),
            .init("last_used_at", JobJSON.time(entry.lastUsedAt)),
        ]
        if withReply { members.append(.init("reply", (try? JSONValue.parse(entry.reply)) ?? .string(entry.reply))) }
        return .object(members)
    }
}
