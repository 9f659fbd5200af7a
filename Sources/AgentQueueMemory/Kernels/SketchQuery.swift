import CAgentQueue

/// A query as a sketch is compared with it.
///
/// With v the query, u a vector, both of length 1, x what its codes say, P the basis, y = P v, and h what the half bytes say of P x:
///
///     <v, u> = <v, transposed(P) h> + <v, x - transposed(P) h> + <v, u - x>
///
/// The first is <y, h> = <y, middle> + step <y, halves - 7.5>, which the kernel sums with y in 8 bits; what these lack of y counts at most
/// `reach` times its length. The second has a part within the space of P, at most `inner` times what the sketch notes, and one outside, at
/// most `outer` times what it notes. The third is the error of the codes, which may lie in either space, and is in both notes.
struct SketchQuery {
    let sketch: Sketch
    /// Those of the low halves, then those of the high.
    private let values: [Int8]
    private let form: vectors_sketch_query

    /// Makes one.
    /// - Parameters:
    ///   - unit: the query, of length 1.
    ///   - share: of what the sketch lacks, as much as counts: 1 is all, which is exact.
    init(_ unit: [Float], _ sketch: Sketch, share: Double = 1) {
        let (basis, count) = (sketch.basis, SketchBasis.count)
        let dimension = Double(basis.dimension)
        var places = [Float](repeating: 0, count: count)
        vectors_places(basis.queries, unit, &places)
        let inexact = (dimension / 16 + 6) * 0x1p-24 * Double(count).squareRoot()
        let length = places.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        let scale = places.reduce(Float(0)) { max($0, abs($1)) } / 127
        let values = places.map { scale > 0 ? Int8(max(-127, min(127, ($0 / scale).rounded()))) : 0 }
        let lacks = zip(places, values).reduce(0.0) { sum, pair in
            let lack = Double(pair.0) - Double(scale) * Double(pair.1)
            return sum + lack * lack
        }.squareRoot()
        let atMiddle = zip(places, basis.middle).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        let factor = Double(scale) * Double(basis.step)
        let sum = values.reduce(0) { $0 + Int($1) }
        let skew = Double(basis.skew)
        let within = min(1, (length + inexact) / (1 - skew).squareRoot())
        let outside = max(0, 1 - max(0, length - inexact) * max(0, length - inexact) / (1 + skew)).squareRoot()
        // 4 is more than any h is long; 2 * 10^-5 is for the rounding of Float32 in the kernel.
        let constant = atMiddle - 7.5 * factor * Double(sum) + lacks * Double(sketch.reach) + 4 * inexact + 2e-5
        self.sketch = sketch
        self.values = [values[..<(count / 2)], [0, 0, 0, 0], values[(count / 2)...], [0, 0, 0, 0]].flatMap(\.self)
        form = vectors_sketch_query(
            low: nil, high: nil, scale: Float(factor), inner: Float(within * share).nextUp,
            outer: Float(outside * share).nextUp, constant: Float(constant))
    }

    /// Upper bounds of the cosines of slots.
    func bounds(_ level: vectors_level, _ range: Range<Int>, _ uppers: inout [Float]) {
        let rows = sketch.rows(range.lowerBound / VectorChunk.capacity)
        let first = range.lowerBound % VectorChunk.capacity * Int(VECTORS_SKETCH_BYTES)
        withForm { vectors_sketch_bounds(level, rows + first, range.count, $0, &uppers) }
    }

    /// The same of some of them, by their places among them.
    func bounds(_ level: vectors_level, _ range: Range<Int>, _ places: ArraySlice<UInt32>, _ uppers: inout [Float]) {
        let rows = sketch.rows(range.lowerBound / VectorChunk.capacity)
        let first = range.lowerBound % VectorChunk.capacity * Int(VECTORS_SKETCH_BYTES)
        places.withUnsafeBufferPointer { places in
            withForm { vectors_sketch_bounds_of(level, rows + first, places.baseAddress, places.count, $0, &uppers) }
        }
    }

    private func withForm(_ body: (UnsafePointer<vectors_sketch_query>) -> Void) {
        values.withUnsafeBufferPointer { values in
            var form = form
            form.low = values.baseAddress
            form.high = values.baseAddress.map { $0 + values.count / 2 }
            body(&form)
        }
    }
}
