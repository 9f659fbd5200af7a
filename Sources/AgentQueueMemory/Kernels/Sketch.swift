import CAgentQueue

/// What a scan reads first of each vector, 64 bytes: half a byte for each direction of a basis, and the length of the remainder.
///
/// A sketch covers the first slots of an index. It is a value: an extended copy shares the memory of the original, beyond its end.
///
/// @unchecked because memory is never changed once it is covered.
struct Sketch: @unchecked Sendable {
    let basis: SketchBasis
    /// The share of the remainder that the nearest neighbours of a query need at most, nearly always. Approximate searches use it as their
    /// bound.
    let usualShare: Double
    /// The number of slots covered, a multiple of 16.
    private(set) var count = 0
    /// The maximum length of the half bytes, measured from the middle.
    private(set) var reach: Float = 0
    /// One for each chunk.
    private var parts: [MappedMemory] = []

    init(_ basis: SketchBasis, usualShare: Double = 1) {
        self.basis = basis
        self.usualShare = usualShare
    }

    /// Memory use in bytes.
    var bytes: Int { count * Self.bytesPerSlot + SketchBasis.count * vectors_query_bytes(basis.dimension) }

    private static let bytesPerSlot = Int(VECTORS_SKETCH_BYTES)

    /// The rows of a chunk.
    func rows(_ chunk: Int) -> UnsafeMutablePointer<UInt8> { parts[chunk].bytes.assumingMemoryBound(to: UInt8.self) }

    /// A copy that covers more slots, a multiple of 16; nil if it is cancelled.
    func extended(to end: Int, _ chunks: [VectorChunk], level: vectors_level, isCancelled: () -> Bool) -> Sketch? {
        var sketch = self
        while sketch.count < end {
            if isCancelled() { return nil }
            let (chunk, first) = sketch.count.quotientAndRemainder(dividingBy: VectorChunk.capacity)
            if chunk == sketch.parts.count {
                let part = MappedMemory(VectorChunk.capacity * Self.bytesPerSlot)
                if chunk > 0 { part.preferLargePages() }
                sketch.parts.append(part)
            }
            let some = min(ScanTask.segment, end - sketch.count, VectorChunk.capacity - first)
            sketch.reach = basis.middle.withUnsafeBufferPointer { middle in
                basis.queries.withUnsafeBufferPointer { queries in
                    var frame = vectors_frame(
                        directions: queries.baseAddress, middle: middle.baseAddress, step: basis.step, skew: basis.skew)
                    return vectors_sketch(
                        level, chunks[chunk].row(first), chunks[chunk].scales + first, chunks[chunk].errors + first, some, &frame,
                        sketch.rows(chunk) + first * Self.bytesPerSlot, sketch.reach)
                }
            }
            sketch.count += some
        }
        return sketch
    }
}

/// The leading directions of the vectors of an index, which a sketch keeps of each vector.
///
/// They approximately span the space in which most of a sample of the vectors lies (block power iteration on their second moments, which
/// also finds their mean), rotated so that all directions carry the same variance and a single step size suits them all.
///
/// @unchecked because of pointers into memory of its own, which does not change after initialisation.
final class SketchBasis: @unchecked Sendable {
    /// The number of directions.
    static let count = Int(VECTORS_DIRECTIONS)
    /// The smallest dimension that is worth a sketch, which must be much smaller than the codes.
    static let leastDimension = 192

    private static let rounds = 5

    let dimension: Int
    /// The number of vectors when the basis was made.
    let slots: Int
    /// The directions, quantised.
    let queries: [vectors_query]
    /// The middle of the vectors in each direction.
    let middle: [Float]
    /// The step of one half-byte unit: 0.3352 of the standard deviation, which is optimal for 16 levels of a normal distribution (Max,
    /// 1960).
    let step: Float
    /// The deviation from orthonormality.
    let skew: Float
    private let memory: UnsafeMutableRawPointer

    deinit { memory.deallocate() }

    /// Makes a basis from a sample of the given number of vectors. Nil if they have no useful directions in common, or if it is cancelled.
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
                // Each has length 1, so this cannot fail.
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

/// Vectors of an index with their sketch, from which the bound of approximate searches is estimated.
struct SketchSample {
    private let chunk: VectorChunk
    private let sketch: Sketch
    private let level: vectors_level

    /// The number of sample queries, and the number of neighbours considered for each.
    private static let (queries, neighbours) = (64, 10)

    /// Takes a sample of a chunk that the sketch covers.
    init(_ chunk: VectorChunk, _ sketch: Sketch, level: vectors_level) {
        self.chunk = chunk
        self.sketch = sketch
        self.level = level
    }

    /// The share of the remainder that near neighbours need: the 95th percentile in a sample, plus a tenth. (A neighbour that needs more
    /// is still found if it is nearer than the others by more than that.)
    ///
    /// Assuming a random direction, and thus a small share, would be wrong for exactly the vectors that are looked for: what is near in
    /// the directions of the sketch tends to be near in the others too.
    func usualShare() -> Double {
        let shares = stride(from: 0, to: chunk.count, by: max(1, chunk.count / Self.queries)).flatMap(shares).sorted()
        guard !shares.isEmpty else { return 1 }
        return max(0, min(1, 1.1 * shares[(shares.count - 1) * 95 / 100]))
    }

    /// The shares of the neighbours of one vector.
    private func shares(_ own: Int) -> [Double] {
        let codes = chunk.row(own)
        guard let query = try? QuantizedQuery((0..<chunk.dimension).map { Float(codes[$0]) - 128 }, dimension: chunk.dimension) else {
            return []
        }
        var form = query.form
        var dots = [Int32](repeating: 0, count: chunk.count)
        vectors_dots(level, chunk.row(0), chunk.count, &form, &dots)
        var (none, all) = ([Float](repeating: 0, count: chunk.count), [Float](repeating: 0, count: chunk.count))
        SketchQuery(query.unit, sketch, share: 0).bounds(level, 0..<chunk.count, &none)
        SketchQuery(query.unit, sketch).bounds(level, 0..<chunk.count, &all)
        func cosine(_ row: Int) -> Double { Double(dots[row]) * Double(form.scale) * Double(chunk.scales[row]) }
        var best = BestScores(limit: Self.neighbours)
        // An identical text does not count as a neighbour.
        let others = (0..<chunk.count).filter { cosine($0) < 0.9999 }
        for row in others { best.offer(cosine(row)) }
        return others.filter { cosine($0) >= best.threshold && all[$0] > none[$0] }.map {
            (cosine($0) - Double(none[$0])) / Double(all[$0] - none[$0])
        }
    }
}
