import AgentQueueStore
import CAgentQueue

/// A vector that is compared with many, as the kernels want it.
final class QuantizedQuery {
    /// As it was given.
    let values: [Float]
    /// Its quantised form, valid as long as this object.
    let form: vectors_query
    private let memory: UnsafeMutableRawPointer

    /// Makes one.
    /// - Throws: `VectorError`.
    init(_ values: [Float], dimension: Int) throws(VectorError) {
        guard !values.isEmpty else { throw .empty }
        guard values.count == dimension else { throw .wrongDimension(values.count, expected: dimension) }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: vectors_query_bytes(dimension), alignment: 64)
        var form = vectors_query()
        guard vectors_query_make(values, dimension, memory, &form) else {
            memory.deallocate()
            if let index = values.firstIndex(where: { !$0.isFinite }) { throw .notFinite(index) }
            throw .noDirection
        }
        self.values = values
        self.form = form
        self.memory = memory
    }

    deinit { memory.deallocate() }

    /// Brought to length 1.
    var unit: [Float] { values.map { Float(Double($0) / form.norm) } }
}

/// Between what limits the score of a vector lies, by what its codes say of it.
///
/// With u the vector and v the query, both of length 1, c = <u, v> is the cosine. The codes say u = x + r with |r| at most `error`; the
/// quantised query says v = w + s with |s| at most `rest`. So c = <x, w> + <x, s> + <r, v>, and as |x| is at most 1 + error, c differs from
/// <x, w>, which is a whole number times both scales, by at most rest (1 + error) + error. `slack` is for the rounding of Float32: <x, w>
/// is below 2, and some of its operations lose 2^-24 of that each. It also covers a norm's rounding, which moves a dot product by 2^-24 of
/// itself; how it moves a distance, see `score`.
struct ScoreBounds {
    /// What the rounding of Float32 may lose, and more.
    static let slack: Float = 2e-6

    let level: vectors_level
    let metric: VectorMetric
    /// The query's length.
    let norm: Double
    /// The query's scale.
    let scale: Float
    /// What an error of codes counts.
    let factor: Float
    /// What is there besides.
    let constant: Float

    /// Makes those of a query.
    init(_ query: QuantizedQuery, metric: VectorMetric, level: vectors_level) {
        self.level = level
        self.metric = metric
        norm = query.form.norm
        scale = query.form.scale
        factor = (1 + query.form.rest).nextUp
        constant = query.form.rest + Self.slack
    }

    /// Whether a score is more than a cosine.
    func needsWeighing(_ bonus: UnsafePointer<Float>?) -> Bool { metric != .cosine || bonus != nil }

    /// The metric, for the kernels.
    var kernelMetric: vectors_metric {
        switch metric {
        case .cosine: .cosine
        case .dot: .dot
        case .euclidean: .euclidean
        }
    }

    /// The most that the score of a slot can be where its cosine is at most so much, bonus included.
    func upper(_ cosine: Float, of slot: Int, in chunk: VectorChunk, bonus: Double) -> Double {
        score(Double(cosine), Double(chunk.norms[slot]), rounding: -1) + bonus
    }

    /// The limits of the score of a slot, bonus included.
    func limits(_ dot: Int32, of slot: Int, in chunk: VectorChunk, bonus: Double) -> (lower: Double, upper: Double) {
        let estimate = Double(dot) * Double(scale) * Double(chunk.scales[slot])
        let width = Double(chunk.errors[slot]) * Double(factor) + Double(constant)
        let norm = Double(chunk.norms[slot])
        return (score(estimate - width, norm, rounding: 1) + bonus, score(estimate + width, norm, rounding: -1) + bonus)
    }

    /// The score of a cosine. Where n is off by at most e = 2^-24 n, a distance's square S = (n - m)^2 + 2 n m (1 - c) is off by at most
    /// 2 e sqrt(S) + e^2. If sqrt(S) is n / 5 or more, this is below 10^-6 S. Else m is at least 0.8 n, and the slack of c, which may make
    /// 1 - c negative, counts more than that.
    private func score(_ cosine: Double, _ other: Double, rounding: Double) -> Double {
        switch metric {
        case .cosine: return cosine
        case .dot: return norm * other * cosine
        case .euclidean:
            let apart = other - norm
            let square = max(0, apart * apart + 2 * norm * other * (1 - cosine))
            return -(square * (1 + 1e-6 * rounding)).squareRoot()
        }
    }
}
