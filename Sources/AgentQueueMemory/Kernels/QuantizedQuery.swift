import AgentQueueStore
import CAgentQueue

/// A query vector in the form that the kernels need.
final class QuantizedQuery {
    /// The values as given.
    let values: [Float]
    /// The quantised form, valid as long as this object.
    let form: vectors_query
    private let memory: UnsafeMutableRawPointer

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

    /// The values scaled to length 1.
    var unit: [Float] { values.map { Float(Double($0) / form.norm) } }
}

/// Bounds of a vector's score, computed from its codes.
///
/// Let u be the vector and v the query, both of length 1, and c = <u, v> their cosine. The codes give u = x + r with |r| at most `error`;
/// the quantised query gives v = w + s with |s| at most `rest`. So c = <x, w> + <x, s> + <r, v>. Since |x| is at most 1 + error, c differs
/// from <x, w>, which is a whole number times both scales, by at most rest (1 + error) + error. `slack` covers the rounding of Float32:
/// <x, w> is below 2, and a few of its operations lose 2^-24 of that each. It also covers the rounding of a norm, which moves a dot
/// product by 2^-24 of itself; for its effect on a distance, see `score`.
struct ScoreBounds {
    /// Covers the rounding of Float32, with a margin.
    static let slack: Float = 2e-6

    let level: vectors_level
    let metric: VectorMetric
    /// The length of the query.
    let norm: Double
    /// The scale of the query.
    let scale: Float
    /// The factor of the codes' error in the bound.
    let factor: Float
    /// The constant part of the bound.
    let constant: Float

    init(_ query: QuantizedQuery, metric: VectorMetric, level: vectors_level) {
        self.level = level
        self.metric = metric
        norm = query.form.norm
        scale = query.form.scale
        factor = (1 + query.form.rest).nextUp
        constant = query.form.rest + Self.slack
    }

    /// Whether a score is more than the cosine.
    func needsWeighing(_ bonus: UnsafePointer<Float>?) -> Bool { metric != .cosine || bonus != nil }

    /// The metric as the kernels know it.
    var kernelMetric: vectors_metric {
        switch metric {
        case .cosine: .cosine
        case .dot: .dot
        case .euclidean: .euclidean
        }
    }

    /// The highest possible score of a slot, bonus included, if its cosine is at most the given one.
    func upper(_ cosine: Float, of slot: Int, in chunk: VectorChunk, bonus: Double) -> Double {
        score(Double(cosine), Double(chunk.norms[slot]), rounding: -1) + bonus
    }

    /// The bounds of a slot's score, bonus included.
    func limits(_ dot: Int32, of slot: Int, in chunk: VectorChunk, bonus: Double) -> (lower: Double, upper: Double) {
        let estimate = Double(dot) * Double(scale) * Double(chunk.scales[slot])
        let width = Double(chunk.errors[slot]) * Double(factor) + Double(constant)
        let norm = Double(chunk.norms[slot])
        return (score(estimate - width, norm, rounding: 1) + bonus, score(estimate + width, norm, rounding: -1) + bonus)
    }

    /// The score for a cosine. If n is off by at most e = 2^-24 n, the square of a distance S = (n - m)^2 + 2 n m (1 - c) is off by at
    /// most 2 e sqrt(S) + e^2. If sqrt(S) is at least n / 5, that is below 10^-6 S. Otherwise m is at least 0.8 n, and the slack of c,
    /// which may make 1 - c negative, is larger than that.
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
