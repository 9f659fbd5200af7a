import CPlatform

/// A query as a sketch is compared with it.
///
/// With v the query, u a vector, both of length 1, x what its codes say, P the basis, y = P v, and h what the half bytes say of P x:
///
///     <v, u> = <v, transposed(P) h> + <v, x - transposed(P) h> + <v, u - x>
///
/// The first is <y, h> = <y, middle> + step <y, halves - 7.5>, which the kernel sums with y in 8 bits; what these lack of y counts at most
/// `reach` times its length. The second has a part within the space of P, at most `inner` times what `vectors_sketch` notes, and one
/// outside, at most `outer` times what it notes. The third is at most the error of the codes.
struct SketchQuery {
    let sketch: Sketch
    private let values: [Int8]
    private let form: vectors_sketch_query

    /// Makes one.
    /// - Parameters:
    ///   - unit: the query, of length 1.
    ///   - isApproximate: whether to count on what lacks to point anywhere, not all of it where the query does: 4 deviations of its part in
    ///     the query's direction.
    init(_ unit: [Float], _ sketch: Sketch, isApproximate: Bool) {
        let (basis, count) = (sketch.basis, SketchBasis.count)
        let dimension = Double(basis.dimension)
        var places = [Float](repeating: 0, count: count)
        vectors_places(basis.queries, count, unit, &places)
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
        func chance(_ directions: Double) -> Double { isApproximate ? min(1, 4 / max(1, directions).squareRoot()) : 1 }
        // 4 is more than any h is long; 2 * 10^-5 is for the rounding of Float32 in the kernel.
        let constant = atMiddle - 7.5 * factor * Double(sum) + lacks * Double(sketch.reach) + 4 * inexact + 2e-5
        self.sketch = sketch
        self.values = values
        form = vectors_sketch_query(
            values: nil, count: count, scale: Float(factor), inner: Float(within * chance(Double(count))).nextUp,
            outer: Float(outside * chance(dimension - Double(count))).nextUp, error: Float(chance(dimension)), constant: Float(constant))
    }

    /// Upper bounds of the cosines of slots of a chunk.
    func bounds(_ level: vectors_level, _ chunk: VectorChunk, _ first: Int, _ range: Range<Int>, _ uppers: inout [Float]) {
        let index = range.lowerBound / VectorChunk.capacity
        values.withUnsafeBufferPointer { values in
            var form = form
            form.values = values.baseAddress
            vectors_sketch_bounds(
                level, sketch.halves(index) + first * SketchBasis.count / 2, sketch.lacks(index) + first, chunk.errors + first,
                range.count / Int(VECTORS_GROUP), &form, &uppers)
        }
    }
}
