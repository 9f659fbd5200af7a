import CAgentQueue

/// A query in the form in which it is compared with a sketch.
///
/// Let v be the query and u a vector, both of length 1, x the value of the vector's codes, P the basis, y = P v, and h the value of the
/// half bytes for P x:
///
///     <v, u> = <v, transposed(P) h> + <v, x - transposed(P) h> + <v, u - x>
///
/// The first term is <y, h> = <y, middle> + step <y, halves - 7.5>, which the kernel sums with y in 8 bits; the error of these bits counts
/// at most `reach` times its length. The second has a part within the space of P, at most `inner` times the noted remainder, and a part
/// outside, at most `outer` times the noted remainder. The third is the error of the codes, which may lie in either space, and is included
/// in both remainders.
struct SketchQuery {
    let sketch: Sketch
    /// Those of the low half bytes, then those of the high ones.
    private let values: [Int8]
    private let form: vectors_sketch_query

    /// - Parameters:
    ///   - unit: the query, of length 1.
    ///   - share: the share of the remainder to allow for; 1 is all of it, which is exact.
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
        // No h is longer than 4; 2 * 10^-5 covers the rounding of Float32 in the kernel.
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

    /// The same for some of them, given by their positions.
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
