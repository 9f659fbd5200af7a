import AgentQueueModel
import AgentQueueStore

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

/// Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): picks one after the other what is relevant, and unlike what was
/// picked before.
struct Diversity {
    /// What may be picked.
    struct Candidate {
        /// How well it answers.
        var relevance: Double
        /// Where it lies, of length 1; nil is unlike all others.
        var vector: [Float]?
    }

    /// 1 is relevance alone, 0 is variety alone.
    let relevance: Double

    /// The places of those picked, in their order. Of equal ones the first.
    func pick(_ count: Int, of candidates: [Candidate]) -> [Int] {
        var picked: [Int] = []
        var rest = Array(candidates.indices)
        // The largest cosine of each to those picked; nothing is picked yet.
        var nearest = [Double](repeating: 0, count: candidates.count)
        while picked.count < count, !rest.isEmpty {
            var best = 0
            var bestValue = -Double.infinity
            for (place, index) in rest.enumerated() {
                let value = relevance * candidates[index].relevance - (1 - relevance) * nearest[index]
                if value > bestValue { (best, bestValue) = (place, value) }
            }
            let chosen = rest.remove(at: best)
            for index in rest {
                let cosine = Self.cosine(candidates[chosen].vector, candidates[index].vector)
                nearest[index] = picked.isEmpty ? cosine : max(nearest[index], cosine)
            }
            picked.append(chosen)
        }
        return picked
    }

    /// The cosine of two vectors of length 1; 0 where there are not two.
    static func cosine(_ one: [Float]?, _ other: [Float]?) -> Double {
        guard let one, let other, one.count == other.count else { return 0 }
        return one.withUnsafeBufferPointer { one in
            other.withUnsafeBufferPointer { other in
                // Eight sums that do not wait for each other.
                var sums = SIMD8<Float>()
                var index = 0
                while index + 8 <= one.count {
                    for lane in 0..<8 { sums[lane] += one[index + lane] * other[index + lane] }
                    index += 8
                }
                var sum = Double(sums.sum())
                while index < one.count {
                    sum += Double(one[index] * other[index])
                    index += 1
                }
                return sum
            }
        }
    }

    /// A vector brought to length 1.
    static func unit(_ vector: [Float]) -> [Float] {
        let length = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        return vector.map { Float(Double($0) / length) }
    }
}
