import AgentQueueStore
import CAgentQueue

/// An in-memory index of vectors of one dimension, with an exact nearest-neighbour search: the error of the codes is bounded, so no
/// neighbour is missed.
///
/// A search reads one byte per dimension of each vector or, once a sketch exists, 64 bytes of most of them. The vectors that can still be
/// among the nearest are then ranked by their exact values.
///
/// Not thread-safe; ``SpaceIndex`` guards it.
package final class VectorIndex {
    /// The number of values in each vector.
    package let dimension: Int
    /// The number of slots, including those of dead entries.
    public private(set) var slots = 0
    /// The number of live entries.
    public private(set) var count = 0
    /// Counts how often slots have moved. Anything cached by slot is invalid after a change.
    public private(set) var generation = 0

    private(set) var chunks: [VectorChunk] = []
    /// One bit for each slot.
    private(set) var live: [UInt64] = []
    var sketches = SketchKeeper()
    var exactVectors: ExactVectors
    /// The instruction set of the kernels.
    let level: vectors_level

    package convenience init(dimension: Int) { self.init(dimension: dimension, level: vectors_best()) }

    init(dimension: Int, level: vectors_level) {
        self.dimension = dimension
        self.level = level
        exactVectors = ExactVectors(dimension: dimension)
    }

    deinit { sketches.reset() }

    /// Memory use in bytes.
    package var bytes: Int {
        chunks.reduce(live.count * 8) { $0 + $1.bytes } + (sketches.sketch?.bytes ?? 0) + exactVectors.bytes
    }

    // MARK: Entries

    /// Adds entries, whose numbers are larger than all earlier ones, except those for which `isDead` is true.
    /// - Throws: `VectorError.wrongDimension`, and adds none, if their codes have another dimension.
    package func append(_ block: MemoryBlock, isDead: (MemoryEntry) -> Bool = { _ in false }) throws(VectorError) {
        let count = block.count
        guard count > 0, let codes = block.codes.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
        guard block.codes.count == count * dimension else { throw .wrongDimension(block.codes.count / count, expected: dimension) }
        for index in 0..<count {
            let entry = block.entry(index)
            if !isDead(entry) { append(entry, codes + index * dimension) }
        }
    }

    /// Adds one entry.
    /// - Throws: `VectorError.wrongDimension`.
    package func append(
        _ vector: MemoryVector, number: Int64, memoryID: Int64, expiresAt: Int64, createdAt: Int64, importance: Float
    ) throws(VectorError) {
        guard vector.dimension == dimension else { throw .wrongDimension(vector.dimension, expected: dimension) }
        let entry = MemoryEntry(
            number: number, memoryID: memoryID, expiresAt: expiresAt, createdAt: createdAt, importance: importance, scale: vector.scale,
            error: vector.error, norm: vector.norm)
        vector.codes.withUnsafeBufferPointer { if let codes = $0.baseAddress { append(entry, codes) } }
        vector.bytes.withUnsafeBytes { exactVectors.keep($0, slot: slots - 1, of: slots) }
    }

    private func append(_ entry: MemoryEntry, _ codes: UnsafePointer<UInt8>) {
        if chunks.last?.isFull ?? true { chunks.append(VectorChunk(dimension: dimension, isFirst: chunks.isEmpty)) }
        chunks[chunks.count - 1].append(entry, codes: codes)
        if slots % 64 == 0 { live.append(0) }
        live[slots / 64] |= 1 << UInt64(slots % 64)
        slots += 1
        count += 1
    }

    /// Removes all entries of the given memories whose numbers are smaller than the given ones. Returns how many there were.
    @discardableResult package func forget(_ changes: [Int64: Int64]) -> Int {
        guard !changes.isEmpty else { return 0 }
        let before = count
        // Most memories are not affected. A bit set by the low digits of the ids rules them out faster than the dictionary.
        var ends = [UInt64](repeating: 0, count: 1_024)
        for id in changes.keys { ends[Int(id & 0xffff) / 64] |= 1 << UInt64(id & 63) }
        for (index, chunk) in chunks.enumerated() {
            let (ids, numbers) = (chunk.memoryIDs, chunk.numbers)
            for local in 0..<chunk.count {
                let id = ids[local]
                guard ends[Int(id & 0xffff) / 64] & 1 << UInt64(id & 63) != 0, let number = changes[id] else { continue }
                if numbers[local] < number { kill(index * VectorChunk.capacity + local) }
            }
        }
        compactIfSparse()
        return before - count
    }

    private func kill(_ slot: Int) {
        let bit: UInt64 = 1 << UInt64(slot % 64)
        guard live[slot / 64] & bit != 0 else { return }
        live[slot / 64] &= ~bit
        count -= 1
    }

    // MARK: Places

    /// The number of a slot's entry.
    package func number(_ slot: Int) -> Int64 { chunks[slot / VectorChunk.capacity].numbers[slot % VectorChunk.capacity] }
    /// The memory of a slot.
    package func memoryID(_ slot: Int) -> Int64 { chunks[slot / VectorChunk.capacity].memoryIDs[slot % VectorChunk.capacity] }
    /// When the memory of a slot was created, ms.
    package func createdAt(_ slot: Int) -> Int64 { chunks[slot / VectorChunk.capacity].created[slot % VectorChunk.capacity] }
    /// The importance of a slot's memory.
    package func importance(_ slot: Int) -> Float { chunks[slot / VectorChunk.capacity].importances[slot % VectorChunk.capacity] }
    /// Whether the entry of a slot is alive.
    package func isLive(_ slot: Int) -> Bool { live[slot / 64] & 1 << UInt64(slot % 64) != 0 }

    /// Closes the gaps left by dead entries once they make up more than a quarter.
    private func compactIfSparse() {
        guard slots >= 1_024, slots - count > slots / 4 else { return }
        var old = chunks.map(Optional.some)
        let wasLive = live
        (chunks, live, slots, count) = ([], [], 0, 0)
        for index in old.indices {
            guard let chunk = old[index] else { continue }
            for local in 0..<chunk.count {
                let slot = index * VectorChunk.capacity + local
                guard wasLive[slot / 64] & 1 << UInt64(slot % 64) != 0 else { continue }
                append(chunk.entry(local), chunk.row(local))
            }
            // Each chunk is released at once, so that compacting a half-empty index does not double its memory.
            old[index] = nil
        }
        sketches.reset()
        exactVectors = ExactVectors(dimension: dimension)
        generation += 1
    }
}

extension VectorIndex {
    /// Calls `body` for each slot with the creation time (wall clock, ms) and importance of its memory.
    @inline(__always)
    func eachHead(_ body: (_ slot: Int, _ createdAt: Int64, _ importance: Float) -> Void) {
        for (index, chunk) in chunks.enumerated() {
            let (created, importances, start) = (chunk.created, chunk.importances, index * VectorChunk.capacity)
            for local in 0..<chunk.count { body(start + local, created[local], importances[local]) }
        }
    }
}

/// How the nearness of two vectors is measured.
package enum VectorMetric: String, Sendable, CaseIterable {
    /// Cosine similarity, -1 to 1; larger is nearer.
    case cosine
    /// Dot product; larger is nearer.
    case dot
    /// Euclidean distance. The score is the negative distance, so that larger is nearer for every metric.
    case euclidean
}
