import AgentQueueStore
import AgentQueueTestSupport
import Testing

@testable import AgentQueueWorker

/// The cache against the plainest one that could be written.
@Suite struct ResponseCacheModelTests {
    @Test(arguments: [(1, 50), (4, 60), (16, 100)])
    func itDoesWhatThePlainestOneDoes(_ shards: Int, _ maxEntries: Int) {
        var generator = SeededGenerator(seed: UInt64(shards))
        let clock = TestClock()
        let maxBytes = Int64(maxEntries) * (RecencyList.overhead + 150)
        let cache = ResponseCache(maxEntries: maxEntries, maxBytes: maxBytes, shards: shards) { clock.now }
        var model = ReferenceCache(maxEntries: maxEntries, maxBytes: maxBytes)
        let digests = (0..<maxEntries * 3).map(digest)
        for step in 0..<100_000 {
            // Some are asked for much more often than others.
            let (one, other) = (Int.random(in: 0..<digests.count, using: &generator), Int.random(in: 0..<digests.count, using: &generator))
            let number = one * other / digests.count
            let version = Int64.random(in: 1...2, using: &generator)
            switch Int.random(in: 0..<100, using: &generator) {
            case 0..<55:
                let asked: Int64? = Bool.random(using: &generator) ? nil : version
                #expect(cache.reply(digests[number], version: asked) == model.reply(number, version: asked, now: clock.now), "step \(step)")
            case 55..<93:
                let length = [10, 100, 100, 100, 400, 1_000][Int.random(in: 0..<6, using: &generator)]
                let life = [-1, 0, 50, 500, 100_000][Int.random(in: 0..<5, using: &generator)]
                let reply = CachedReply.of(String(repeating: "x", count: length), version: version, until: clock.now + Int64(life))
                cache.insert(digests[number], reply)
                model.insert(number, reply, now: clock.now)
            case 93..<96:
                cache.remove(digests[number])
                model.remove(number)
            case 96 where step % 200 == 0:
                cache.removeAll()
                model.entries = []
            default:
                clock.now += Int64.random(in: 0..<20, using: &generator)
            }
            let statistics = cache.statistics
            guard statistics == model.statistics, statistics.bytes <= maxBytes, statistics.entries <= maxEntries else {
                Issue.record("step \(step): \(statistics) is not \(model.statistics)")
                return
            }
            if step % 500 == 0 {
                // Each shard's answers, in the order of their use.
                for (index, shard) in cache.shards.enumerated() {
                    let expected = model.entries.compactMap { CacheKey(digests[$0.number]) }.filter {
                        Int(truncatingIfNeeded: $0.second) & (shards - 1) == index
                    }
                    #expect(shard.withState { $0.list.keys } == expected, "step \(step)")
                }
                #expect(cache.audit.bytes == statistics.bytes && cache.audit.entries == Int64(statistics.entries))
            }
        }
        // All of it has happened, many times.
        #expect(model.counts.evictions > 100)
        #expect(model.counts.expirations > 100)
        #expect(model.counts.hits > 1_000)
    }
}

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
