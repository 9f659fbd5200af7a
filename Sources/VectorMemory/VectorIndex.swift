import QueueStore

/// Vectors of one dimension in memory, and the search for the nearest: exact, because what the codes lack is bounded.
///
/// Not safe for several threads at once: ``SpaceIndex`` guards it.
public final class VectorIndex {
    /// How many values each vector has.
    public let dimension: Int
    /// How many places there are, those of dead entries included.
    public var slots: Int { 0 }
    /// How many entries are alive.
    public var count: Int { 0 }
    /// What it holds in memory, in bytes.
    public var bytes: Int { 0 }

    /// Makes an empty one.
    public init(dimension: Int) { self.dimension = dimension }

    /// Takes in entries, whose numbers are larger than all before; those that `isDead` names are left out.
    public func append(_ block: MemoryBlock, isDead: (MemoryEntry) -> Bool = { _ in false }) {}

    /// Takes in one entry.
    public func append(_ vector: MemoryVector, number: Int64, memoryID: Int64, expiresAt: Int64, createdAt: Int64, importance: Float) {}

    /// Lets go of all entries of memories with numbers smaller than those given. Returns how many there were.
    @discardableResult public func forget(_ changes: [Int64: Int64]) -> Int { 0 }

    /// The memory of a place.
    public func memoryID(_ slot: Int) -> Int64 { 0 }
    /// When the memory of a place was made, ms.
    public func createdAt(_ slot: Int) -> Int64 { 0 }
    /// How much the memory of a place matters.
    public func importance(_ slot: Int) -> Float { 0 }
    /// Counts the times that places moved: what is kept by place is worthless after.
    public private(set) var generation = 0

    /// Finds the nearest.
    /// - Parameters:
    ///   - query: as long as the index's dimension.
    ///   - limit: how many to find.
    ///   - now: what has expired by then (wall clock, ms) is not found.
    ///   - mask: a bit a place, 64 to a word, of those that may be found; nil is all.
    ///   - bonus: added to the score of each place, for weights; nil is none.
    ///   - scan: how.
    ///   - threads: at most.
    ///   - exact: gives the exact vectors of entries by their numbers, ascending; those that are gone are passed over.
    /// - Returns: the nearest, the best first, of equal ones the smaller memory id first.
    /// - Throws: `VectorError` for the query, and what `exact` throws.
    public func search(
        _ query: [Float], limit: Int, metric: VectorMetric, now: Int64, mask: [UInt64]? = nil, bonus: [Float]? = nil,
        scan: VectorScan = .automatic, threads: Int = 2,
        exact: (_ numbers: [Int64], _ body: (_ index: Int, _ vector: UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws -> (hits: [VectorHit], report: ScanReport) {
        ([], ScanReport(scan: .full))
    }
}
