import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import Dispatch

/// The search for memories, in one process: keeps an index of each namespace that is asked for, and brings it up to date before each
/// answer, so that what any process has stored is found by the next search.
package final class MemorySearch: Sendable {
    private let store: QueueStore
    private let shelf: IndexCache<MemorySpace, SpaceIndex>
    private let threads = SearchThreads("memory-search")

    /// Makes one; reads nothing.
    /// - Parameter maxBytes: how much the indexes may take in memory together; the longest unused go first, and the latest stays. 2 GiB
    ///   unless told.
    package init(_ store: QueueStore, maxBytes: Int = 2 << 30) {
        self.store = store
        shelf = IndexCache(maxBytes: maxBytes)
    }

    /// Answers queries, each in its namespaces; all see the memories of one moment. Scans on threads of its own, so that no task waits for
    /// a thread.
    /// - Returns: an answer for each, in their order.
    /// - Throws: `MemoryError`, `VectorError`, `StoreError`.
    package func answer(_ queries: [MemoryQuery]) async throws -> [MemoryAnswer] {
        for query in queries { try query.check() }
        try await indexWords(of: queries)
        return try await threads.run { [self] in try answerNow(queries) }
    }

    /// How many indexes it keeps, and their bytes.
    package var size: (indexes: Int, bytes: Int) { shelf.size }

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

/// Queries that are answered from one snapshot. Used by one thread, which has the indexes to itself.
final class SearchRound {
    let snapshot: MemorySnapshot
    private let indexes: [Int64: SpaceIndex]
    /// The spaces whose indexes are as new as the snapshot.
    private var isFollowed: Set<Int64> = []

    /// - Parameter indexes: those of all spaces that the queries look into, by the space's id.
    init(_ snapshot: MemorySnapshot, _ indexes: [Int64: SpaceIndex]) {
        self.snapshot = snapshot
        self.indexes = indexes
    }

    /// Answers a query that has been checked.
    func answer(_ query: MemoryQuery) throws -> MemoryAnswer {
        var places: [SearchPlace] = []
        for name in query.namespaces where !places.contains(where: { $0.namespace.name == name }) {
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

    /// Whether a query's vector can be compared with those of namespaces.
    private static func checkVectors(of query: MemoryQuery, _ namespaces: [MemoryNamespace]) throws {
        var other: (name: String, target: String)?
        for namespace in namespaces {
            let name = InvalidText.quoted(namespace.name)
            guard let space = namespace.space else {
                // Nothing is remembered there yet: nothing is found, either.
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

/// A namespace that a query looks into.
struct SearchPlace {
    /// The namespace.
    let namespace: MemoryNamespace
    /// Its vectors; nil where it has none, or they are not asked for.
    var index: SpaceIndex?
    /// How the search went there.
    var report: NamespaceReport

    init(_ namespace: MemoryNamespace, index: SpaceIndex?) {
        self.namespace = namespace
        self.index = index
        report = NamespaceReport(namespace: namespace.name)
    }
}

/// Threads for what takes long, so that no task waits for a thread.
struct SearchThreads: Sendable {
    private let queue: DispatchQueue

    /// - Parameter name: what debuggers show.
    init(_ name: String) { queue = DispatchQueue(label: name, attributes: .concurrent) }

    /// Carries out a body on one of them.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try body() }) }
        }
    }
}
