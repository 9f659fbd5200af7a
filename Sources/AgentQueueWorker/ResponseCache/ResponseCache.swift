import AgentQueueStore
import Synchronization

/// Answers in memory, in front of the store's: bounded in number and in bytes, shared by all tasks of a process.
///
/// The answers are spread over shards by their digest, each behind a lock of its own that is held for well under a microsecond, so
/// that tasks seldom meet. All shards share the limits and one clock of uses, a number that every use counts up.
///
/// **What goes first.** Where room is needed, first all that has expired, then what was not used for the longest *of all shards*: each
/// tells its oldest use, and the smallest loses. With one thread at a time that is exact. With several, the one that goes was the oldest
/// at some moment of the search, unless it was passed by eight times in a row, when any shard's oldest may go.
///
/// **The limits hold at every moment.** CapacityBudget is taken before an answer is kept and given back after it is gone. So an answer may, rarely,
/// not be kept at all: where all the room is taken by others that are just being kept.
///
/// It never answers for the store: an answer that is deleted there, or replaced, stays here until it expires, unless the caller names
/// the version that the store holds.
package final class ResponseCache: Sendable {
    let shards: [Shard]
    private let room: CapacityBudget
    private let ticks = Atomic<UInt64>(0)
    private let clock: @Sendable () -> Int64

    /// Makes an empty cache.
    /// - Parameters:
    ///   - maxEntries: the most answers; 0 keeps none.
    ///   - maxBytes: the most bytes, what an answer takes besides its text included; 0 keeps none.
    ///   - shards: in how many parts, rounded up to a power of two; 16 unless told, 256 at most.
    ///   - clock: wall clock, ms.
    package init(maxEntries: Int, maxBytes: Int64, shards: Int = 16, clock: @escaping @Sendable () -> Int64) {
        var count = 1
        while count < min(shards, 256) { count *= 2 }
        self.shards = (0..<count).map { _ in Shard() }
        room = CapacityBudget(maxEntries: maxEntries, maxBytes: maxBytes)
        self.clock = clock
    }

    /// The answer to a request, noted as used; nil where there is none, or it has expired.
    /// - Parameters:
    ///   - digest: the cache key, 32 bytes.
    ///   - version: when the store's answer was written (`createdAt`). One of another version does not answer, and is forgotten. Nil takes any.
    package func reply(_ digest: [UInt8], version: Int64? = nil) -> CachedReply? {
        guard let key = CacheKey(digest) else { return nil }
        let (reply, freed) = shard(of: key).find(key, version: version, now: clock(), ticks)
        give(freed)
        return reply
    }

    /// Keeps an answer as the latest used one, in place of an earlier one to the same request. One that is larger than the limit, or has
    /// expired, is not kept.
    /// - Parameter reply: its `createdAt` is its version.
    package func insert(_ digest: [UInt8], _ reply: CachedReply) {
        guard let key = CacheKey(digest) else { return }
        let size = RecencyList.size(of: reply)
        let now = clock()
        let shard = shard(of: key)
        guard room.admits(size), reply.expiresAt > now else { return give(shard.remove(key)) }
        let (isDone, freed) = shard.replace(key, reply, size: size, ticks)
        give(freed)
        guard !isDone else { return }
        while !room.take(size) {
            guard makeRoom(now: now) else { return }
        }
        give(shard.insert(key, reply, size: size, ticks))
    }

    /// Forgets an answer.
    package func remove(_ digest: [UInt8]) {
        guard let key = CacheKey(digest) else { return }
        give(shard(of: key).remove(key))
    }

    /// Forgets every answer. What others keep meanwhile may stay.
    package func removeAll() {
        for shard in shards { room.give(shard.removeAll()) }
    }

    /// The counts. Beside other threads, each is true of its own moment.
    package var statistics: ResponseCacheStatistics {
        var statistics = ResponseCacheStatistics(
            entries: Int(room.entries), bytes: room.bytes, hits: 0, misses: 0, evictions: 0, expirations: 0)
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

    /// How many more answers fit, and how many bytes.
    var roomLeft: (entries: Int, bytes: Int64) { room.left }

    private func shard(of key: CacheKey) -> Shard { shards[Int(truncatingIfNeeded: key.second) & (shards.count - 1)] }

    private func give(_ size: Int64?) {
        guard let size else { return }
        room.give(Released(entries: 1, bytes: size))
    }

    /// Forgets all that has expired; where nothing has, the answer that was not used for the longest. False where there is none.
    private func makeRoom(now: Int64) -> Bool {
        var isExpired = false
        for shard in shards {
            while shard.firstExpiry <= now {
                room.give(shard.expire(now: now))
                isExpired = true
            }
        }
        return isExpired || evictOldest()
    }

    private func evictOldest() -> Bool {
        // Another thread may use or evict what was found before its shard is locked: then the search is repeated.
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
    /// Answers kept, those included that have expired and were not met since.
    package var entries: Int
    /// What they take, in bytes.
    package var bytes: Int64
    /// Lookups that found an answer.
    package var hits: Int
    /// Lookups that found none, or one that had expired or was of another version.
    package var misses: Int
    /// Answers that made room for others although they had not expired.
    package var evictions: Int
    /// Answers that went because they had expired.
    package var expirations: Int
}

extension ResponseCache {
    /// Loads the store's most popular answers (`QueueStore.popularCacheEntries`) until nothing more fits; what is here already stays. The
    /// most popular count as the latest used. Returns how many were loaded.
    /// - Throws: `StoreError`.
    @discardableResult
    package func warm(from store: QueueStore) throws -> Int {
        var (entries, bytes) = roomLeft
        var chosen: [(digest: [UInt8], reply: CachedReply)] = []
        for entry in try store.popularCacheEntries(limit: entries, bytes: bytes) {
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
