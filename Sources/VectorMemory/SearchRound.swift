import JobModel
import QueueStore
import Settings

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
