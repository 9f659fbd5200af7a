import Synchronization

/// Indexes that a process keeps: one for each key, the longest unused of which go when they are too many, or take too much memory together.
final class IndexCache<Key: Hashable & Sendable, Index: CachedIndex>: Sendable {
    private struct Kept {
        var index: Index
        /// How many searches hold it: these keep it here, so that no second one of its key is built beside it.
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

    /// Makes an empty one.
    /// - Parameters:
    ///   - maxBytes: of all indexes together; the latest stays, however large, since it would be built anew for every search.
    ///   - maxCount: the most indexes; as many as there are unless told.
    init(maxBytes: Int, maxCount: Int = .max) {
        self.maxBytes = maxBytes
        self.maxCount = maxCount
    }

    /// How many there are, and their bytes.
    var size: (indexes: Int, bytes: Int) {
        state.withLock { ($0.kept.count, $0.kept.values.reduce(0) { $0 + $1.index.bytes }) }
    }

    /// Carries out what has the indexes of keys to itself. Waits for each in the order of the keys, which must be the same for all callers,
    /// so that no two ever wait for each other.
    func with<Value: Sendable>(_ keys: [Key], make: (Key) -> Index, _ body: ([Index]) throws -> Value) rethrows -> Value {
        let indexes = take(keys, make)
        defer { giveBack(keys) }
        return try Self.alone(with: indexes[...]) { try body(indexes) }
    }

    /// Lets go of those that have had their day.
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

/// An index that a ``IndexCache`` keeps. One search at a time: who reads or changes it does so inside ``exclusively(_:)``.
protocol CachedIndex: AnyObject, Sendable {
    /// Whose turn it is.
    var turn: SizedLock { get }
    /// What it takes in memory, in bytes; asked by whose turn it is.
    var size: Int { get }
}

extension CachedIndex {
    /// What it takes in memory, as of its last use.
    var bytes: Int { turn.bytes }

    /// Carries out what nobody else does at the time.
    func exclusively<Value: Sendable>(_ body: () throws -> Value) rethrows -> Value {
        try turn.take {
            defer { turn.note(bytes: size) }
            return try body()
        }
    }
}

/// A lock that tells how large its holder left what it guards.
final class SizedLock: Sendable {
    private let lock = Mutex(())
    private let size = Mutex(0)

    /// What was noted last.
    var bytes: Int { size.withLock { $0 } }

    /// Notes how large it is.
    func note(bytes: Int) { size.withLock { $0 = bytes } }

    /// Carries out what nobody else does at the time.
    func take<Value: Sendable>(_ body: () throws -> Value) rethrows -> Value { try lock.withLock { _ in try body() } }
}
