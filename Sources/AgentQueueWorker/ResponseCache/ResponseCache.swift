import AgentQueueModel
import AgentQueueStore
import Synchronization

/// A cache of answers in memory, in front of the store's cache. It is bounded in entries and bytes, and shared by all tasks of a process.
///
/// The answers are distributed over shards by their digest. Each shard has its own lock, which is held for well under a microsecond, so
/// tasks rarely contend. All shards share the limits and one logical clock, a counter that every use increments.
///
/// **Eviction.** When space is needed, expired answers go first, then the least recently used answer *of all shards*: each shard publishes
/// its oldest use, and the lowest is evicted. With one thread that is exact. With several threads, the evicted answer was the oldest at
/// some moment of the search; after eight lost races in a row, any shard's oldest answer may go.
///
/// **The limits hold at every moment.** Capacity is taken before an answer is stored and given back after it is removed. In rare cases an
/// answer is therefore not stored at all, while others that are just being stored have taken all the capacity.
///
/// The cache does not follow the store: an answer that is deleted or replaced there stays here until it expires, unless the caller names
/// the version that the store holds.
package final class ResponseCache: Sendable {
    let shards: [Shard]
    private let capacity: CapacityBudget
    private let ticks = Atomic<UInt64>(0)
    private let clock: @Sendable () -> Int64

    /// Makes an empty cache.
    /// - Parameters:
    ///   - maxEntries: the maximum number of answers; 0 keeps none.
    ///   - maxBytes: the maximum size in bytes, including the overhead of each answer; 0 keeps none.
    ///   - shards: the number of shards, rounded up to a power of two, at most 256. Default: 16.
    ///   - clock: the wall clock, in ms.
    package init(maxEntries: Int, maxBytes: Int64, shards: Int = 16, clock: @escaping @Sendable () -> Int64) {
        var count = 1
        while count < min(shards, 256) { count *= 2 }
        self.shards = (0..<count).map { _ in Shard() }
        capacity = CapacityBudget(maxEntries: maxEntries, maxBytes: maxBytes)
        self.clock = clock
    }

    /// The answer to a request, which counts as used; nil if there is none, or it has expired.
    /// - Parameters:
    ///   - digest: the cache key, 32 bytes.
    ///   - version: when the store's answer was written (`createdAt`). An answer of another version is removed. Nil accepts any version.
    package func reply(_ digest: [UInt8], version: Int64? = nil) -> CachedReply? {
        guard let key = CacheKey(digest) else { return nil }
        let (reply, freed) = shard(of: key).find(key, version: version, now: clock(), ticks)
        give(freed)
        return reply
    }

    /// Stores an answer as the most recently used one, and replaces an earlier answer to the same request. An answer that is larger than
    /// the limit, or has expired, is not stored.
    /// - Parameter reply: its `createdAt` is its version.
    package func insert(_ digest: [UInt8], _ reply: CachedReply) {
        guard let key = CacheKey(digest) else { return }
        let size = RecencyList.size(of: reply)
        let now = clock()
        let shard = shard(of: key)
        guard capacity.admits(size), reply.expiresAt > now else { return give(shard.remove(key)) }
        let (isDone, freed) = shard.replace(key, reply, size: size, ticks)
        give(freed)
        guard !isDone else { return }
        while !capacity.take(size) {
            guard makeSpace(now: now) else { return }
        }
        give(shard.insert(key, reply, size: size, ticks))
    }

    /// Removes an answer.
    package func remove(_ digest: [UInt8]) {
        guard let key = CacheKey(digest) else { return }
        give(shard(of: key).remove(key))
    }

    /// Removes all answers. Those that other tasks store meanwhile may stay.
    package func removeAll() {
        for shard in shards { capacity.give(shard.removeAll()) }
    }

    /// Current counts. While other threads use the cache, the counts may be of slightly different moments.
    package var statistics: ResponseCacheStatistics {
        var statistics = ResponseCacheStatistics(
            entries: Int(capacity.entries), bytes: capacity.bytes, hits: 0, misses: 0, evictions: 0, expirations: 0)
        for shard in shards {
            shard.withState { state in
                statistics.hits += state.hits
                statistics.misses += state.misses
                statistics.evictions += state.evictions
                statistics.expirations += state.expirations
            }
        }
        return statistics
    }

    /// How many more answers, and how many more bytes, fit.
    var capacityLeft: (entries: Int, bytes: Int64) { capacity.left }

    private func shard(of key: CacheKey) -> Shard { shards[Int(truncatingIfNeeded: key.second) & (shards.count - 1)] }

    private func give(_ size: Int64?) {
        guard let size else { return }
        capacity.give(Released(entries: 1, bytes: size))
    }

    /// Removes all expired answers, or the least recently used one if none has expired. Returns false if there is nothing to remove.
    private func makeSpace(now: Int64) -> Bool {
        var isExpired = false
        for shard in shards {
            while shard.firstExpiry <= now {
                capacity.give(shard.expire(now: now))
                isExpired = true
            }
        }
        return isExpired || evictOldest()
    }

    private func evictOldest() -> Bool {
        // Another thread may use or evict the answer before its shard is locked. Then the search is repeated.
        for _ in 0..<8 {
            guard let shard = shards.min(by: { $0.oldestTick < $1.oldestTick }), shard.oldestTick != .max else { return false }
            guard let freed = shard.evict(oldest: shard.oldestTick) else { continue }
            give(freed)
            return true
        }
        for shard in shards {
            guard let freed = shard.evict() else { continue }
            give(freed)
            return true
        }
        return false
    }
}

/// The counts of a ``ResponseCache``.
package struct ResponseCacheStatistics: Sendable, Equatable {
    /// Answers in the cache, including expired ones that were not looked up since.
    package var entries: Int
    /// Their size in bytes.
    package var bytes: Int64
    /// Lookups that found an answer.
    package var hits: Int
    /// Lookups that found no answer, or one that had expired or was of another version.
    package var misses: Int
    /// Answers that were evicted before they expired.
    package var evictions: Int
    /// Answers that were removed because they had expired.
    package var expirations: Int
}

extension ResponseCache {
    /// Loads the store's most popular answers until nothing more fits, beside what the cache holds already. The most popular answers count
    /// as the most recently used. Returns the number of answers loaded.
    /// - Throws: `StoreError`.
    @discardableResult
    package func warm(from store: QueueStore) throws -> Int {
        var (entries, bytes) = capacityLeft
        var chosen: [(digest: [UInt8], reply: CachedReply)] = []
        for entry in try store.cache.popular(limit: entries, bytes: bytes) {
            let size = RecencyList.size(of: entry.reply)
            guard entries > 0, size <= bytes else { continue }
            entries -= 1
            bytes -= size
            chosen.append(entry)
        }
        for entry in chosen.reversed() { insert(entry.digest, entry.reply) }
        return chosen.count
    }
}
