import AgentQueueModel
import AgentQueueStore

/// One query on its way to an answer.
final class QuerySearch {
    let query: MemoryQuery
    let snapshot: MemorySnapshot
    var places: [SearchPlace]
    /// Memories that an index found and the database no longer has.
    var gone: Set<Int64> = []

    init(_ query: MemoryQuery, _ places: [SearchPlace], _ snapshot: MemorySnapshot) {
        self.query = query
        self.places = places
        self.snapshot = snapshot
    }

    /// The memories, the best first. Texts are read of those alone; where one is not there, the next best takes its place.
    func hits() throws -> [MemoryHit] {
        while true {
            let best = try ranking()
            let memories = try snapshot.memories(best.map(\.id))
            let missing = best.lazy.map(\.id).filter { memories[$0] == nil }
            if missing.isEmpty {
                return best.compactMap { ranked in
                    memories[ranked.id].map {
                        MemoryHit(
                            memory: $0, score: ranked.score, similarity: ranked.similarity, vectorRank: ranked.vectorRank,
                            wordRank: ranked.wordRank)
                    }
                }
            }
            gone.formUnion(missing)
        }
    }

    private func ranking() throws -> [RankedMemory] {
        guard let relevance = query.relevance else { return try ranking(query.limit) }
        let pool = try ranking(max(4 * query.limit, 50))
        return try diverse(pool, Diversity(relevance: relevance))
    }

    /// The best of all places together.
    private func ranking(_ count: Int) throws -> [RankedMemory] {
        var all: [RankedMemory] = []
        for place in places.indices {
            switch query.mode {
            case .vector: all += try nearest(place, count)
            case .words: all += try worded(place, count)
            case .hybrid: all += try fused(place)
            }
        }
        all.sort(by: RankedMemory.isBefore)
        return Array(all.prefix(count))
    }

    // MARK: By nearness

    /// The nearest of a place that are near enough.
    private func nearest(_ place: Int, _ count: Int) throws -> [RankedMemory] {
        guard let index = places[place].index else { return [] }
        let stopwatch = Stopwatch()
        defer { places[place].report.microseconds.scan += stopwatch.microseconds }
        let least = query.minScore ?? -.infinity
        var limit = count + gone.count
        while true {
            let (hits, report) = try index.nearest(query, limit: limit, snapshot)
            places[place].report.scan = report
            if !MemoryCriteria(query).isEmpty { places[place].report.passed = report.scanned }
            let kept = hits.filter { $0.similarity >= least && !gone.contains($0.memoryID) }
            // Where nearness alone counts, all that follow are farther.
            let isAll = hits.count < limit || MemoryWeights(query) == nil && (hits.last?.similarity ?? least) < least
            if kept.count >= count || isAll {
                return kept.prefix(count).map {
                    RankedMemory(id: $0.memoryID, place: place, score: $0.score, similarity: $0.similarity, number: $0.number)
                }
            }
            limit *= 2
        }
    }

    // MARK: By words

    /// The best by their words of a place that fulfil the conditions.
    private func worded(_ place: Int, _ count: Int) throws -> [RankedMemory] {
        let words = (query.text ?? "").split { !$0.isLetter && !$0.isNumber }.map(String.init)
        guard !words.isEmpty else { return [] }
        let stopwatch = Stopwatch()
        defer { places[place].report.microseconds.words += stopwatch.microseconds }
        let criteria = MemoryCriteria(query)
        var verdicts: [Int64: Bool] = [:]
        var limit = (criteria.isEmpty ? count : 4 * count) + gone.count
        while true {
            let found = try snapshot.words(words, in: places[place].namespace.id, limit: limit)
            var kept: [RankedMemory] = []
            for start in stride(from: 0, to: found.count, by: 256) where kept.count < count {
                let some = found[start..<min(start + 256, found.count)].filter { !gone.contains($0.id) }
                if !criteria.isEmpty { try judge(some.map(\.id), criteria, &verdicts) }
                for (id, rank) in some where criteria.isEmpty || verdicts[id] == true {
                    kept.append(RankedMemory(id: id, place: place, score: -rank))
                }
            }
            if kept.count >= count || found.count < limit { return Array(kept.prefix(count)) }
            limit *= 4
        }
    }

    /// Notes which memories fulfil the conditions.
    private func judge(_ ids: [Int64], _ criteria: MemoryCriteria, _ verdicts: inout [Int64: Bool]) throws {
        let unknown = ids.filter { verdicts[$0] == nil }
        let memories = try snapshot.memories(unknown)
        for id in unknown { verdicts[id] = memories[id].map(criteria.admits) ?? false }
    }

    // MARK: By both

    private func fused(_ place: Int) throws -> [RankedMemory] {
        let depth = max(100, 4 * query.limit)
        let near = try nearest(place, depth)
        let worded = try worded(place, depth)
        let known = Dictionary(near.map { ($0.id, $0) }) { first, _ in first }
        return RankFusion.fuse(near.map(\.id), worded.map(\.id)).map { found in
            let near = known[found.id]
            return RankedMemory(
                id: found.id, place: place, score: found.score, similarity: near?.similarity, number: near?.number,
                vectorRank: found.first, wordRank: found.second)
        }
    }
}

/// A memory that may be an answer.
struct RankedMemory {
    /// The memory.
    var id: Int64
    /// Which of the namespaces that are searched it is in.
    var place: Int
    /// What it is ranked by: larger is better.
    var score: Double
    /// How near its vector is; nil where it was found by its words alone.
    var similarity: Double?
    /// The number of its vector's entry; nil like that.
    var number: Int64?
    /// Its rank among the nearest vectors, where that counts.
    var vectorRank: Int?
    /// Its rank among the best words, where that counts.
    var wordRank: Int?

    /// The better first; of equal ones the smaller id.
    static func isBefore(_ one: RankedMemory, _ other: RankedMemory) -> Bool {
        (one.score, other.id) > (other.score, one.id)
    }
}
