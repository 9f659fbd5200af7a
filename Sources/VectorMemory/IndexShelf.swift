import QueueStore
import Synchronization

/// The indexes of a process: one of each space, the longest unused of which go when they take too much memory together.
final class IndexShelf: Sendable {
    private struct Kept {
        var index: SpaceIndex
        /// How many searches hold it: these keep it here, so that no second one of its space is built beside it.
        var users = 0
        var lastUsed = 0
    }

    private struct State {
        var kept: [Int64: Kept] = [:]
        var uses = 0
    }

    private let state = Mutex(State())
    private let maxBytes: Int

    init(maxBytes: Int) {
        self.maxBytes = maxBytes
    }

    /// How many there are, and their bytes.
    var size: (indexes: Int, bytes: Int) {
        state.withLock { ($0.kept.count, $0.kept.values.reduce(0) { $0 + $1.index.bytes }) }
    }

    /// Carries out what has the indexes of spaces to itself: waits for each, in the order of their ids, so that two searches never wait
    /// for each other.
    func with<Value: Sendable>(_ spaces: Set<MemorySpace>, _ body: ([Int64: SpaceIndex]) throws -> Value) rethrows -> Value {
        let spaces = spaces.sorted { $0.id < $1.id }
        let indexes = take(spaces)
        defer { giveBack(spaces) }
        return try Self.alone(with: indexes[...]) {
            try body(Dictionary(uniqueKeysWithValues: indexes.map { ($0.space.id, $0) }))
        }
    }

    private static func alone<Value: Sendable>(with indexes: ArraySlice<SpaceIndex>, _ body: () throws -> Value) rethrows -> Value {
        guard let first = indexes.first else { return try body() }
        return try first.exclusively { try alone(with: indexes.dropFirst(), body) }
    }

    private func take(_ spaces: [MemorySpace]) -> [SpaceIndex] {
        state.withLock { state in
            state.uses += 1
            return spaces.map { space in
                // A namespace's earlier space has had its day.
                for (id, kept) in state.kept where kept.index.space.namespaceID == space.namespaceID && id < space.id && kept.users == 0 {
                    state.kept[id] = nil
                }
                var kept = state.kept[space.id] ?? Kept(index: SpaceIndex(space))
                kept.users += 1
                kept.lastUsed = state.uses
                state.kept[space.id] = kept
                return kept.index
            }
        }
    }

    private func giveBack(_ spaces: [MemorySpace]) {
        state.withLock { state in
            for space in spaces { state.kept[space.id]?.users -= 1 }
            var bytes = state.kept.values.reduce(0) { $0 + $1.index.bytes }
            // The latest stays, however large: it would be built anew for every search.
            let unused = state.kept.filter { $0.value.users == 0 }.sorted { $0.value.lastUsed < $1.value.lastUsed }.dropLast()
            for (id, kept) in unused where bytes > maxBytes {
                bytes -= kept.index.bytes
                state.kept[id] = nil
            }
        }
    }
}
