import AgentQueueModel
import AgentQueueStore
import Dispatch

/// Searches memories. Keeps an index of each namespace that was searched, and brings it up to date before each answer, so that a search
/// finds whatever any process has stored before it.
package final class MemorySearch: Sendable {
    private let store: QueueStore
    private let shelf: IndexCache<MemorySpace, SpaceIndex>
    private let threads = SearchThreads("memory-search")

    /// - Parameter maxBytes: the memory limit for all indexes together; the least recently used are dropped first, and the most recent one
    ///   is kept. Default: 2 GiB.
    package init(_ store: QueueStore, maxBytes: Int = 2 << 30) {
        self.store = store
        shelf = IndexCache(maxBytes: maxBytes)
    }

    /// Answers queries from one snapshot, each in its namespaces. Scans on threads of its own, so that it does not block the cooperative
    /// thread pool.
    /// - Returns: one answer for each query, in order.
    /// - Throws: `MemoryError`, `VectorError`, `StoreError`.
    package func answer(_ queries: [MemoryQuery]) async throws -> [MemoryAnswer] {
        for query in queries { try query.check() }
        try await indexWords(of: queries)
        return try await threads.run { [self] in try answerNow(queries) }
    }

    /// The number of indexes, and their size in bytes.
    package var size: (indexes: Int, bytes: Int) { shelf.size }

    /// Brings the word index of the namespaces up to date that are searched by words.
    private func indexWords(of queries: [MemoryQuery]) async throws {
        let names = Set(queries.lazy.filter { $0.mode != .vector }.flatMap(\.namespaces).map { ExactText($0) })
        guard !names.isEmpty else { return }
        let lacking = try store.memories.withSnapshot { snapshot in
            try names.map(\.text).sorted().compactMap { name in
                let id = try snapshot.namespace(named: name)?.id
                return try id.flatMap { try snapshot.lacksWords($0) ? $0 : nil }
            }
        }
        for id in lacking { try await store.memories.indexWords(of: id) }
    }

    private func answerNow(_ queries: [MemoryQuery]) throws -> [MemoryAnswer] {
        while true {
            let spaces = try store.memories.withSnapshot { try Self.spaces(of: queries, $0) }
            // An earlier space of a namespace is never searched again.
            shelf.drop { old in spaces.contains { $0.namespaceID == old.namespaceID && $0.id > old.id } }
            // Open the snapshot while holding the indexes, so that none of them is newer than the snapshot.
            let answers = try shelf.with(spaces.sorted { $0.id < $1.id }, make: SpaceIndex.init) { indexes in
                try store.memories.withSnapshot { snapshot -> [MemoryAnswer]? in
                    // If another space has replaced one in the meantime, try again with that.
                    guard try Self.spaces(of: queries, snapshot) == spaces else { return nil }
                    let round = SearchRound(snapshot, Dictionary(uniqueKeysWithValues: indexes.map { ($0.space.id, $0) }))
                    return try queries.map { try round.answer($0) }
                }
            }
            if let answers { return answers }
        }
    }

    /// The spaces that the queries search by vector.
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

/// Answers queries from one snapshot. Used by one thread, which has exclusive access to the indexes.
final class SearchRound {
    let snapshot: MemorySnapshot
    private let indexes: [Int64: SpaceIndex]
    /// The spaces whose indexes are as new as the snapshot.
    private var isFollowed: Set<Int64> = []

    /// - Parameter indexes: the indexes of all spaces that the queries search, by the id of the space.
    init(_ snapshot: MemorySnapshot, _ indexes: [Int64: SpaceIndex]) {
        self.snapshot = snapshot
        self.indexes = indexes
    }

    /// Answers a query that has been checked.
    func answer(_ query: MemoryQuery) throws -> MemoryAnswer {
        var places: [SearchPlace] = []
        for name in query.namespaces where !places.contains(where: { $0.namespace.name.isExactly(name) }) {
            places.append(SearchPlace(try namespace(name), index: nil))
        }
        if query.mode != .words {
            try Self.checkVectors(of: query, places.map(\.namespace))
            for place in places.indices { try bringUpToDate(&places[place]) }
        }
        let search = QuerySearch(query, places, snapshot)
        return MemoryAnswer(hits: try search.hits(), reports: search.places.map(\.report))
    }

    private func namespace(_ name: String) throws -> MemoryNamespace {
        if let namespace = try snapshot.namespace(named: name) { return namespace }
        let names = try snapshot.namespaces().map(\.name)
        let hint = names.isEmpty ? " (there is none yet)" : Suggestion.hint(for: name, in: names)
        throw MemoryError("there is no namespace \(InvalidText.quoted(name))\(hint)")
    }

    private func bringUpToDate(_ place: inout SearchPlace) throws {
        guard let space = place.namespace.space, let index = indexes[space.id] else { return }
        place.index = index
        guard isFollowed.insert(space.id).inserted else { return }
        let stopwatch = Stopwatch()
        let changes = try index.follow(snapshot)
        place.report.followed = (changes.new, changes.gone)
        place.report.isRebuilt = changes.isRebuilt
        place.report.microseconds.index = stopwatch.microseconds
    }

    /// Checks that the vector of a query is comparable with those of its namespaces.
    private static func checkVectors(of query: MemoryQuery, _ namespaces: [MemoryNamespace]) throws {
        var other: (name: String, target: String)?
        for namespace in namespaces {
            let name = InvalidText.quoted(namespace.name)
            guard let space = namespace.space else {
                // An empty namespace yields no results and no error.
                guard query.mode == .vector, namespace.memories > 0 else { continue }
                throw MemoryError("namespace \(name) holds no vectors: search it by its words (--mode words)")
            }
            let target = InvalidText.quoted(space.model.target)
            guard let vector = query.vector else {
                throw MemoryError("a search by nearness needs a vector: namespace \(name) holds those of \(target)")
            }
            guard vector.count == space.dimension else {
                throw MemoryError(
                    "namespace \(name) holds vectors of \(space.dimension) values, made by \(target), and the query's has \(vector.count)")
            }
            if let other, other.target != target {
                throw MemoryError(
                    "namespaces \(other.name) and \(name) hold vectors of two models, \(other.target) and \(target), which cannot be "
                        + "compared with one vector: search them one by one")
            }
            other = (name, target)
        }
    }
}

/// A namespace that is searched.
struct SearchPlace {
    let namespace: MemoryNamespace
    /// The index of its vectors; nil if it has none, or if they are not needed.
    var index: SpaceIndex?
    /// How the search went.
    var report: NamespaceReport

    init(_ namespace: MemoryNamespace, index: SpaceIndex?) {
        self.namespace = namespace
        self.index = index
        report = NamespaceReport(namespace: namespace.name)
    }
}

/// Threads for long-running work, outside the cooperative thread pool.
struct SearchThreads: Sendable {
    private let queue: DispatchQueue

    /// - Parameter name: the name shown by debuggers.
    init(_ name: String) { queue = DispatchQueue(label: name, attributes: .concurrent) }

    /// Runs `body` on one of the threads.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
