import CAgentQueue

/// What a scan reads first of each vector, 64 bytes: half a byte for each direction of a basis, and how much that lacks.
///
/// It covers the first slots of an index. A value: what is added to one shares the memory of the other, behind its end.
///
/// @unchecked because of memory that is not changed once it is covered.
struct Sketch: @unchecked Sendable {
    let basis: SketchBasis
    /// How much of what it lacks the nearest of a query have of it at most, nearly always: what an approximate search counts with.
    let usualShare: Double
    /// How many slots it covers, a multiple of 16.
    private(set) var count = 0
    /// The most that half bytes are from the middle, as a length.
    private(set) var reach: Float = 0
    /// One for each chunk.
    private var parts: [MappedMemory] = []

    /// An empty one.
    init(_ basis: SketchBasis, usualShare: Double = 1) {
        self.basis = basis
        self.usualShare = usualShare
    }

    /// What it takes, in bytes.
    var bytes: Int { count * Self.bytesPerSlot + SketchBasis.count * vectors_query_bytes(basis.dimension) }

    private static let bytesPerSlot = Int(VECTORS_SKETCH_BYTES)

    /// What there is of a chunk.
    func rows(_ chunk: Int) -> UnsafeMutablePointer<UInt8> { parts[chunk].bytes.assumingMemoryBound(to: UInt8.self) }

    /// The same, covering slots up to another count, a multiple of 16; nil where it is cancelled.
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

/// Vectors of an index, with their sketch: what approximate searches learn from.
struct SketchSample {
    private let chunk: VectorChunk
    private let sketch: Sketch
    private let level: vectors_level

    /// How many are searched for, and how many neighbours of each are looked at.
    private static let (queries, neighbours) = (64, 10)

    /// Of a chunk that the sketch covers.
    init(_ chunk: VectorChunk, _ sketch: Sketch, level: vectors_level) {
        self.chunk = chunk
        self.sketch = sketch
        self.level = level
    }

    /// How much of what the sketch lacks the nearest have of it: what 95 of 100 neighbours in a sample have at most, and a tenth
    /// more. (A neighbour with more is still found where it is nearer than others by more than that.)
    ///
    /// That it points anywhere, and little of it where the query does, would be wrong of just those that are looked for: what lies near in
    /// the directions of the sketch tends to lie near in the others.
    func usualShare() -> Double {
        let shares = stride(from: 0, to: chunk.count, by: max(1, chunk.count / Self.queries)).flatMap(shares).sorted()
        guard !shares.isEmpty else { return 1 }
        return max(0, min(1, 1.1 * shares[(shares.count - 1) * 95 / 100]))
    }

    /// Those of the neighbours of one of them.
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
        // The same text twice is no neighbour.
        let others = (0..<chunk.count).filter { cosine($0) < 0.9999 }
        for row in others { best.offer(cosine(row)) }
        return others.filter { cosine($0) >= best.threshold && all[$0] > none[$0] }.map {
            (cosine($0) - Double(none[$0])) / Double(all[$0] - none[$0])
        }
    }
}
