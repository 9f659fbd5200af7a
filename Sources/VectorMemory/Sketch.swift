import CPlatform

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
