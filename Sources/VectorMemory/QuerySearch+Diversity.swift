import JobModel
import QueueStore

extension QuerySearch {
    /// Picks from the best what is relevant and unlike the rest. How relevant one is, is the cosine to the query whatever the metric,
    /// weights included, so that it can be set against the cosines between them; where words count too, its share of the best score.
    func diverse(_ pool: [RankedMemory], _ diversity: Diversity) throws -> [RankedMemory] {
        let vectors = try vectors(of: pool)
        let best = pool.first?.score ?? 1
        let asked = Diversity.unit(query.vector ?? [])
        let candidates = pool.indices.map { index in
            let ranked = pool[index]
            guard query.mode == .vector, let vector = vectors[index] else {
                return Diversity.Candidate(relevance: ranked.score / best, vector: vectors[index])
            }
            let weight = ranked.score - (ranked.similarity ?? ranked.score)
            return Diversity.Candidate(relevance: Diversity.cosine(asked, vector) + weight, vector: vector)
        }
        return diversity.pick(query.limit, of: candidates).map { pool[$0] }
    }

    /// The vectors of memories, brought to length 1, by their places in the pool.
    private func vectors(of pool: [RankedMemory]) throws -> [Int: [Float]] {
        var vectors: [Int: [Float]] = [:]
        for (place, searched) in places.enumerated() {
            guard let index = searched.index else { continue }
            let ids = pool.indices.filter { pool[$0].place == place }
            let unknown = ids.filter { pool[$0].number == nil }
            var numbers = ids.compactMap { index in pool[index].number.map { (number: $0, index: index) } }
            let byID = Dictionary(unknown.map { (pool[$0].id, $0) }) { first, _ in first }
            for (number, id) in try snapshot.numbers(of: Array(byID.keys), in: index.space) {
                if let index = byID[id] { numbers.append((number, index)) }
            }
            numbers.sort { $0 < $1 }
            try snapshot.vectors(numbers.map(\.number), of: index.space) { at, bytes in
                vectors[numbers[at].index] = Diversity.unit(
                    (0..<bytes.count / 4).map {
                        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
                    })
            }
        }
        return vectors
    }
}
