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
