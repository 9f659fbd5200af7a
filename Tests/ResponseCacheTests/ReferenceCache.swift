import QueueStore

@testable import ResponseCache

/// What a ``ResponseCache`` is to do, in the plainest words: an array, the latest used first.
struct ReferenceCache {
    struct Entry {
        var number: Int
        var reply: CachedReply
        var size: Int64 { RecencyList.size(of: reply) }
    }

    let maxEntries: Int
    let maxBytes: Int64
    var entries: [Entry] = []
    var counts = ResponseCacheStatistics(entries: 0, bytes: 0, hits: 0, misses: 0, evictions: 0, expirations: 0)

    var bytes: Int64 { entries.reduce(0) { $0 + $1.size } }

    var statistics: ResponseCacheStatistics {
        var statistics = counts
        statistics.entries = entries.count
        statistics.bytes = bytes
        return statistics
    }

    mutating func reply(_ number: Int, version: Int64?, now: Int64) -> CachedReply? {
        guard let index = entries.firstIndex(where: { $0.number == number }) else {
            counts.misses += 1
            return nil
        }
        let entry = entries.remove(at: index)
        if entry.reply.expiresAt <= now { counts.expirations += 1 }
        guard entry.reply.expiresAt > now, version == nil || version == entry.reply.createdAt else {
            counts.misses += 1
            return nil
        }
        counts.hits += 1
        entries.insert(entry, at: 0)
        return entry.reply
    }

    mutating func insert(_ number: Int, _ reply: CachedReply, now: Int64) {
        let entry = Entry(number: number, reply: reply)
        let old = entries.firstIndex { $0.number == number }.map { entries.remove(at: $0) }
        guard maxEntries > 0, entry.size <= maxBytes, reply.expiresAt > now else { return }
        func isFull() -> Bool { entries.count >= maxEntries || bytes + entry.size > maxBytes }
        if old?.size != entry.size, isFull() {
            let count = entries.count
            entries.removeAll { $0.reply.expiresAt <= now }
            counts.expirations += count - entries.count
            while isFull() {
                entries.removeLast()
                counts.evictions += 1
            }
        }
        entries.insert(entry, at: 0)
    }

    mutating func remove(_ number: Int) { entries.removeAll { $0.number == number } }
}
