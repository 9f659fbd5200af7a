import AgentQueueStore
import Synchronization

/// A part of a ``ResponseCache``, chosen by the digest, behind a lock of its own.
///
/// What the other shards must know of it to choose what goes next, its oldest use and its first expiry, is told beside the lock.
final class Shard: Sendable {
    struct State {
        var list = RecencyList()
        var hits = 0
        var misses = 0
        var evictions = 0
        var expirations = 0
    }

    private let state = Mutex(State())
    private let toldOldest = Atomic<UInt64>(.max)
    private let toldExpiry = Atomic<Int64>(.max)

    /// The tick of its answer that was not used for the longest; `.max` where it has none.
    var oldestTick: UInt64 { toldOldest.load(ordering: .relaxed) }
    /// When its first answer expires (wall clock, ms); `.max` where it has none.
    var firstExpiry: Int64 { toldExpiry.load(ordering: .relaxed) }

    /// A look at everything, for statistics and tests.
    func withState<Value: Sendable>(_ body: (borrowing State) -> Value) -> Value { state.withLock { body($0) } }

    /// The answer of a digest, noted as used; and the room of one that was met and may not answer any more.
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
                tell(state.list)
                return (nil, freed)
            }
            state.hits += 1
            let wasOldest = state.list.isOldest(slot)
            // Taken under the lock, so that the list stays in the order of its ticks.
            state.list.use(slot, tick: ticks.wrappingAdd(1, ordering: .relaxed).newValue)
            if wasOldest { tell(state.list) }
            return (state.list.reply(in: slot), nil)
        }
    }

    /// Puts an answer in the place of an equally large one; false where there is none.
    /// - Returns: whether it did, and the room of one of another size, which is gone.
    func replace(
        _ key: CacheKey, _ reply: CachedReply, size: Int64, _ ticks: borrowing Atomic<UInt64>
    ) -> (isDone: Bool, freed: Int64?) {
        state.withLock { state in
            guard let slot = state.list.slot(of: key) else { return (false, nil) }
            guard state.list.size(of: slot) == size else {
                let freed = state.list.remove(slot)
                tell(state.list)
                return (false, freed)
            }
            state.list.insert(key, reply, size: size, tick: ticks.wrappingAdd(1, ordering: .relaxed).newValue)
            tell(state.list)
            return (true, nil)
        }
    }

    /// Keeps an answer whose room is taken. Returns the room of the one whose place it takes.
    func insert(_ key: CacheKey, _ reply: CachedReply, size: Int64, _ ticks: borrowing Atomic<UInt64>) -> Int64? {
        state.withLock { state in
            let freed = state.list.insert(key, reply, size: size, tick: ticks.wrappingAdd(1, ordering: .relaxed).newValue)
            tell(state.list)
            return freed
        }
    }

    /// Forgets an answer. Returns its room.
    func remove(_ key: CacheKey) -> Int64? {
        state.withLock { state in
            guard let slot = state.list.slot(of: key) else { return nil }
            let freed = state.list.remove(slot)
            tell(state.list)
            return freed
        }
    }

    /// Forgets every answer. Returns their room.
    func removeAll() -> Released {
        state.withLock { state in
            let freed = Released(entries: Int64(state.list.count), bytes: state.list.bytes)
            state.list = RecencyList()
            tell(state.list)
            return freed
        }
    }

    /// Evicts the answer that was not used for the longest; given a tick, only if it still is that one's. Returns its room.
    func evict(oldest tick: UInt64? = nil) -> Int64? {
        state.withLock { state in
            guard tick == nil || tick == state.list.oldestTick, let freed = state.list.removeOldest() else { return nil }
            state.evictions += 1
            tell(state.list)
            return freed
        }
    }

    /// Forgets answers that have expired, at most a slice of them. Returns their room.
    func expire(now: Int64) -> Released {
        state.withLock { state in
            var freed = Released()
            while freed.entries < 64, let size = state.list.removeExpired(now: now) { freed.add(size) }
            state.expirations += Int(freed.entries)
            tell(state.list)
            return freed
        }
    }

    /// Tells the other shards, under the lock.
    private func tell(_ list: borrowing RecencyList) {
        toldOldest.store(list.oldestTick, ordering: .relaxed)
        toldExpiry.store(list.firstExpiry, ordering: .relaxed)
    }
}
