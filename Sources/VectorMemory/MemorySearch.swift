import QueueStore

/// The search for memories, in one process: keeps an index of each namespace that is asked for, and brings it up to date before each
/// answer, so that what any process has stored is found by the next search.
public final class MemorySearch: Sendable {
    private let store: QueueStore
    private let shelf: Shelf<MemorySpace, SpaceIndex>
    private let threads = SearchThreads("memory-search")

    /// Makes one; reads nothing.
    /// - Parameter maxBytes: how much the indexes may take in memory together; the longest unused go first, and the latest stays. 2 GiB
    ///   unless told.
    public init(_ store: QueueStore, maxBytes: Int = 2 << 30) {
        self.store = store
        shelf = Shelf(maxBytes: maxBytes)
    }

    /// Answers queries, each in its namespaces; all see the memories of one moment. Scans on threads of its own, so that no task waits for
    /// a thread.
    /// - Returns: an answer for each, in their order.
    /// - Throws: `MemoryError`, `VectorError`, `StoreError`.
    public func answer(_ queries: [MemoryQuery]) async throws -> [MemoryAnswer] {
        for query in queries { try query.check() }
        try await indexWords(of: queries)
        return try await threads.run { [self] in try answerNow(queries) }
    }

    /// How many indexes it keeps, and their bytes.
    public var size: (indexes: Int, bytes: Int) { shelf.size }

    /// Brings the words of the namespaces up to date that are searched by them.
    private func indexWords(of queries: [MemoryQuery]) async throws {
        let names = Set(queries.lazy.filter { $0.mode != .vector }.flatMap(\.namespaces))
        guard !names.isEmpty else { return }
        let lacking = try store.readMemories { snapshot in
            try names.sorted().compactMap { name in
                let id = try snapshot.namespace(named: name)?.id
                return try id.flatMap { try snapshot.lacksWords($0) ? $0 : nil }
            }
        }
        for id in lacking { try await store.indexWords(of: id) }
    }

    private func answerNow(_ queries: [MemoryQuery]) throws -> [MemoryAnswer] {
        while true {
            let spaces = try store.readMemories { try Self.spaces(of: queries, $0) }
            // An earlier space of a namespace is not searched again.
            shelf.drop { old in spaces.contains { $0.namespaceID == old.namespaceID && $0.id > old.id } }
            // The snapshot is opened when the indexes are ours, so that none of them is newer.
            let answers = try shelf.with(spaces.sorted { $0.id < $1.id }, make: SpaceIndex.init) { indexes in
                try store.readMemories { snapshot -> [MemoryAnswer]? in
                    // Another space may have taken the place of one meanwhile: then again, with that.
                    guard try Self.spaces(of: queries, snapshot) == spaces else { return nil }
                    let round = SearchRound(snapshot, Dictionary(uniqueKeysWithValues: indexes.map { ($0.space.id, $0) }))
                    return try queries.map { try round.answer($0) }
                }
            }
            if let answers { return answers }
        }
    }

    /// The spaces that queries look into by nearness.
    private static func spaces(of queries: [MemoryQuery], _ snapshot: MemorySnapshot) throws -> Set<MemorySpace> {
        var spaces: Set<MemorySpace> = []
        for query in queries where query.mode != .words {
            for name in query.namespaces {
                if let space = try snapshot.namespace(named: name)?.space { spaces.insert(space) }
            }
        }
        return spaces
    }
}
