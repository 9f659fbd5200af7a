import AgentQueueStore
import Synchronization

/// A part of a ``ResponseCache``, chosen by the digest, with its own lock.
///
/// It publishes its oldest use and its first expiry outside the lock, since they decide which shard evicts next.
final class Shard: Sendable {
    struct State {
        var list = RecencyList()
        var hits = 0
        var misses = 0
        var evictions = 0
        var expirations = 0
    }

    private let state = Mutex(State())
    private let publishedOldest = Atomic<UInt64>(.max)
    private let publishedExpiry = Atomic<Int64>(.max)

    /// The tick of its least recently used answer; `.max` if it is empty.
    var oldestTick: UInt64 { publishedOldest.load(ordering: .relaxed) }
    /// When its first answer expires (wall clock, ms); `.max` if it is empty.
    var firstExpiry: Int64 { publishedExpiry.load(ordering: .relaxed) }

    /// Reads the whole state, for statistics and tests.
    func withState<Value: Sendable>(_ body: (borrowing State) -> Value) -> Value { state.withLock { body($0) } }

    /// The answer to a digest, which counts as used. If the answer found has expired or is of another version, it is removed, and its size
    /// is returned.
    func find(
        _ key: CacheKey, version: Int64?, now: Int64, _ ticks: borrowing Atomic<UInt64>
    ) -> (reply: CachedReply?, freed: Int64?) {
        state.withLock { state in
            guard let slot = state.list.slot(of: key) else {
                state.misses += 1
                return (nil, nil)
            }
            let (written, expiry) = state.list.times(of: slot)
            guard now < expiry, version == nil || version == written else {
                state.misses += 1
                if now >= expiry { state.expirations += 1 }
                let freed = state.list.remove(slot)
                publish(state.list)
                return (nil, freed)
            }
            state.hits += 1
            let wasOldest = state.list.isOldest(slot)
            // Counted inside the lock, so that the list stays sorted by tick.
            state.list.use(slot, tick: ticks.wrappingAdd(1, ordering: .relaxed).newValue)
            if wasOldest { publish(state.list) }
            return (state.list.reply(in: slot), nil)
        }
    }

    /// Replaces an answer by another of the same size.
    /// - Returns: whether it did, and the size of an answer of another size, which was removed.
    func replace(
        _ key: CacheKey, _ reply: CachedReply, size: Int64, _ ticks: borrowing Atomic<UInt64>
    ) -> (isDone: Bool, freed: Int64?) {
        state.withLock { state in
            guard let slot = state.list.slot(of: key) else { return (false, nil) }
            guard state.list.size(of: slot) == size else {
                let freed = state.list.remove(slot)
                publish(state.list)
                return (false, freed)
            }
            state.list.insert(key, reply, size: size, tick: ticks.wrappingAdd(1, ordering: .relaxed).newValue)
            publish(state.list)
            return (true, nil)
        }
    }

    /// Stores an answer whose capacity has been taken. Returns the size of the answer that it replaces.
    func insert(_ key: CacheKey, _ reply: CachedReply, size: Int64, _ ticks: borrowing Atomic<UInt64>) -> Int64? {
        state.withLock { state in
            let freed = state.list.insert(key, reply, size: size, tick: ticks.wrappingAdd(1, ordering: .relaxed).newValue)
            publish(state.list)
            return freed
        }
    }

    /// Removes an answer. Returns its size.
    func remove(_ key: CacheKey) -> Int64? {
        state.withLock { state in
            guard let slot = state.list.slot(of: key) else { return nil }
            let freed = state.list.remove(slot)
            publish(state.list)
            return freed
        }
    }

    /// Removes all answers. Returns their capacity.
    func removeAll() -> Released {
        state.withLock { state in
            let freed = Released(entries: Int64(state.list.count), bytes: state.list.bytes)
            state.list = RecencyList()
            publish(state.list)
            return freed
        }
    }

    /// Evicts the least recently used answer; given a tick, only if that is still the oldest. Returns its size.
    func evict(oldest tick: UInt64? = nil) -> Int64? {
        state.withLock { state in
            guard tick == nil || tick == state.list.oldestTick, let freed = state.list.removeOldest() else { return nil }
            state.evictions += 1
            publish(state.list)
            return freed
        }
    }

    /// Removes expired answers, at most 64 of them. Returns their capacity.
    func expire(now: Int64) -> Released {
        state.withLock { state in
            var freed = Released()
            while freed.entries < 64, let size = state.list.removeExpired(now: now) { freed.add(size) }
            state.expirations += Int(freed.entries)
            publish(state.list)
            return freed
        }
    }

    /// Publishes what other shards compare. Called inside the lock.
    private func publish(_ list: borrowing RecencyList) {
        publishedOldest.store(list.oldestTick, ordering: .relaxed)
        publishedExpiry.store(list.firstExpiry, ordering: .relaxed)
    }
}
