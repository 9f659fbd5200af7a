import CPlatform

/// The leading directions of the vectors of an index: what a sketch keeps of each.
///
/// They span about the space in which a sample of the vectors lies most (block power iteration on their second moments, which finds their
/// mean too), turned so that all directions carry alike: then one step fits them all.
///
/// @unchecked because of pointers into memory of its own, which is not changed once it is made.
final class SketchBasis: @unchecked Sendable {
    /// How many directions.
    static let count = Int(VECTORS_DIRECTIONS)
    /// The least dimension that a sketch is worth it for: it is to be much smaller than the codes.
    static let leastDimension = 192

    private static let rounds = 5

    let dimension: Int
    /// How many vectors there were when it was made.
    let slots: Int
    /// The directions, quantised.
    let queries: [vectors_query]
    /// Where the middle of the vectors lies in each.
    let middle: [Float]
    /// What one of a half byte counts: 0.3352 of the deviation, which is best for 16 levels of a normal one (Max, 1960).
    let step: Float
    /// How far it is from orthonormal.
    let skew: Float
    private let memory: UnsafeMutableRawPointer

    deinit { memory.deallocate() }

    /// Makes one from a sample of so many vectors. Nil where they have no direction in common that would be of use, and where it is
    /// cancelled.
    init?(_ sample: VectorChunk, slots: Int, level: vectors_level, isCancelled: () -> Bool) {
        let dimension = sample.dimension
        let (count, stride) = (Self.count, vectors_stride(dimension))
        let (rows, scales) = ((0..<sample.count).map { Optional(sample.row($0)) }, sample.scales)
        let bytes = vectors_query_bytes(dimension)
        memory = .allocate(byteCount: count * bytes, alignment: 64)
        self.dimension = dimension
        self.slots = slots
        var basis = [Float](repeating: 0, count: count * stride)
        var places = [Float](repeating: 0, count: count * rows.count)
        vectors_orthonormalize(&basis, dimension)
        var queries = Self.quantized(basis, dimension, memory)
        for _ in 0..<Self.rounds {
            if isCancelled() { break }
            vectors_project(level, rows, scales, rows.count, queries, &places)
            for index in basis.indices { basis[index] = 0 }
            vectors_gather(level, rows, scales, rows.count, dimension, places, &basis)
            vectors_orthonormalize(&basis, dimension)
            queries = Self.quantized(basis, dimension, memory)
        }
        vectors_mix(&basis, dimension)
        queries = Self.quantized(basis, dimension, memory)
        vectors_project(level, rows, scales, rows.count, queries, &places)
        self.queries = queries
        (middle, step) = Self.spread(places, rows.count)
        skew = vectors_skew(queries)
        guard step > 0, skew < 0.01, !isCancelled() else { return nil }
    }

    private static func quantized(_ basis: [Float], _ dimension: Int, _ memory: UnsafeMutableRawPointer) -> [vectors_query] {
        let stride = vectors_stride(dimension)
        return basis.withUnsafeBufferPointer { basis in
            (0..<count).map { index in
                var query = vectors_query()
                // Of length 1 each, so it cannot fail.
                if let start = basis.baseAddress {
                    vectors_query_make(start + index * stride, dimension, memory + index * vectors_query_bytes(dimension), &query)
                }
                return query
            }
        }
    }

    /// The middle of each direction, and the step for all.
    private static func spread(_ places: [Float], _ rows: Int) -> (middle: [Float], step: Float) {
        var middle = [Float](repeating: 0, count: count)
        var squares = 0.0
        for index in 0..<count {
            let own = places[index * rows..<(index + 1) * rows]
            let mean = own.reduce(0.0) { $0 + Double($1) } / Double(rows)
            squares += own.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
            middle[index] = Float(mean)
        }
        return (middle, Float(0.3352 * (squares / Double(count * rows)).squareRoot()))
    }
}
