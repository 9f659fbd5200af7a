import Synchronization

/// The indexes that a process keeps, one for each key. The least recently used are dropped when there are too many, or when they use too
/// much memory together.
final class IndexCache<Key: Hashable & Sendable, Index: CachedIndex>: Sendable {
    private struct Kept {
        var index: Index
        /// The number of searches that use the index. It stays in the cache while there are any, so that no second one is built for its
        /// key.
        var users = 0
        var lastUsed = 0
    }

    private struct State {
        var kept: [Key: Kept] = [:]
        var uses = 0
    }

    private let state = Mutex(State())
    private let maxBytes: Int
    private let maxCount: Int

    /// - Parameters:
    ///   - maxBytes: the limit for all indexes together. The most recent one is kept whatever its size, since it would otherwise be
    ///     rebuilt for every search.
    ///   - maxCount: the maximum number of indexes. Default: no limit.
    init(maxBytes: Int, maxCount: Int = .max) {
        self.maxBytes = maxBytes
        self.maxCount = maxCount
    }

    /// The number of indexes, and their size in bytes.
    var size: (indexes: Int, bytes: Int) {
        state.withLock { ($0.kept.count, $0.kept.values.reduce(0) { $0 + $1.index.bytes }) }
    }

    /// Runs `body` with exclusive access to the indexes of the given keys. Locks are taken in the order of the keys; all callers must use
    /// the same order, so that they cannot deadlock.
    func with<Value: Sendable>(_ keys: [Key], make: (Key) -> Index, _ body: ([Index]) throws -> Value) rethrows -> Value {
        let indexes = take(keys, make)
        defer { giveBack(keys) }
        return try Self.alone(with: indexes[...]) { try body(indexes) }
    }

    /// Drops the indexes whose keys are outdated.
    func drop(where isOutdated: (Key) -> Bool) {
        state.withLock { state in
            state.kept = state.kept.filter { key, kept in kept.users > 0 || !isOutdated(key) }
        }
    }

    private static func alone<Value: Sendable>(with indexes: ArraySlice<Index>, _ body: () throws -> Value) rethrows -> Value {
        guard let first = indexes.first else { return try body() }
        return try first.exclusively { try alone(with: indexes.dropFirst(), body) }
    }

    private func take(_ keys: [Key], _ make: (Key) -> Index) -> [Index] {
        state.withLock { state in
            state.uses += 1
            return keys.map { key in
                var kept = state.kept[key] ?? Kept(index: make(key))
                kept.users += 1
                kept.lastUsed = state.uses
                state.kept[key] = kept
                return kept.index
            }
        }
    }

    private func giveBack(_ keys: [Key]) {
        state.withLock { state in
            for key in keys { state.kept[key]?.users -= 1 }
            var bytes = state.kept.values.reduce(0) { $0 + $1.index.bytes }
            guard bytes > maxBytes || state.kept.count > maxCount else { return }
            let unused = state.kept.filter { $0.value.users == 0 }.sorted { $0.value.lastUsed < $1.value.lastUsed }.dropLast()
            for (key, kept) in unused where bytes > maxBytes || state.kept.count > maxCount {
                bytes -= kept.index.bytes
                state.kept[key] = nil
            }
        }
    }
}

/// An index kept by an ``IndexCache``. Only one search uses it at a time: all reads and changes happen inside ``exclusively(_:)``.
protocol CachedIndex: AnyObject, Sendable {
    /// The lock that guards the index.
    var turn: SizedLock { get }
    /// Memory use in bytes. Read only while holding the lock.
    var size: Int { get }
}

extension CachedIndex {
    /// Memory use as of the last time the lock was released.
    var bytes: Int { turn.bytes }

    /// Runs `body` while holding the lock.
    func exclusively<Value: Sendable>(_ body: () throws -> Value) rethrows -> Value {
        try turn.take {
            defer { turn.note(bytes: size) }
            return try body()
        }
    }
}

/// A lock that also records the size of what it guards, so that others can read the size without waiting.
final class SizedLock: Sendable {
    private let lock = Mutex(())
    private let size = Mutex(0)

    /// The size noted last.
    var bytes: Int { size.withLock { $0 } }

    func note(bytes: Int) { size.withLock { $0 = bytes } }

    /// Runs `body` while holding the lock.
    func take<Value: Sendable>(_ body: () throws -> Value) rethrows -> Value { try lock.withLock { _ in try body() } }
}
