import AgentQueueModel
import AgentQueueStore

/// This process's index of a space: its vectors, and the metadata columns asked for so far.
///
/// The snapshot is opened only while holding the lock, so no search sees an index that is newer than its snapshot.
final class SpaceIndex: CachedIndex, @unchecked Sendable {
    // @unchecked: the mutable state below is accessed only inside `exclusively`.

    /// What an update did.
    struct Followed {
        var new = 0
        var gone = 0
        var isRebuilt = false
    }

    let space: MemorySpace
    let turn = SizedLock()
    private var vectors: VectorIndex
    private var filters = MetadataFilters()
    /// The slot generation that the filters belong to.
    private var generation = 0
    /// All changes up to this number are included.
    private var number: Int64 = 0
    /// The largest entry number that was added. It is larger than `number` if an update was interrupted.
    private var lastEntry: Int64 = 0

    init(_ space: MemorySpace) {
        self.space = space
        vectors = VectorIndex(dimension: space.dimension)
    }

    var size: Int { vectors.bytes + filters.bytes }

    /// Brings the index up to date with a snapshot.
    func follow(_ snapshot: MemorySnapshot) throws -> Followed {
        let latest = try snapshot.latestNumber()
        var followed = Followed()
        guard latest != number else { return followed }
        if try !takeChanges(snapshot, &followed) {
            followed = Followed(isRebuilt: true)
            // Released before the new one is filled.
            vectors = VectorIndex(dimension: space.dimension)
            filters.clear()
            (number, lastEntry) = (0, 0)
            guard try takeChanges(snapshot, &followed) else {
                throw StoreError(.internal, "the vectors of a namespace cannot be read from their beginning")
            }
        }
        followed.isRebuilt = followed.isRebuilt || number == 0
        number = latest
        return followed
    }

    /// Returns false if the record of removed memories no longer reaches back far enough.
    private func takeChanges(_ snapshot: MemorySnapshot, _ followed: inout Followed) throws -> Bool {
        var gone: [Int64: Int64] = [:]
        var isForgotten = false
        func forget() {
            guard !isForgotten else { return }
            isForgotten = true
            if !gone.isEmpty { followed.gone += vectors.forget(gone) }
        }
        let isOnRecord = try snapshot.changes(of: space, after: number) { change in
            switch change {
            case .forgotten(let memoryID, let number): gone[memoryID] = max(number, gone[memoryID] ?? 0)
            case .entries(let block):
                forget()
                let before = vectors.count
                try vectors.append(block) { $0.number <= lastEntry || $0.number < gone[$0.memoryID] ?? 0 }
                if block.count > 0 { lastEntry = max(lastEntry, block.entry(block.count - 1).number) }
                followed.new += vectors.count - before
            }
        }
        if isOnRecord { forget() }
        return isOnRecord
    }

    // MARK: Searching

    /// The nearest entries to a vector, best first.
    /// - Parameters:
    ///   - query: its vector has the dimension of the space.
    ///   - limit: the number of results; the limit of the query is ignored.
    func nearest(_ query: MemoryQuery, limit: Int, _ snapshot: MemorySnapshot) throws -> (hits: [VectorHit], report: ScanReport) {
        try vectors.search(
            query.vector ?? [], limit: limit, metric: query.metric, now: snapshot.now, mask: mask(MemoryCriteria(query), snapshot)?.words,
            bonus: MemoryWeights(query).map { bonus($0, now: snapshot.now) }, scan: query.scan
        ) { numbers, body in try snapshot.vectors(numbers, of: space, body) }
    }

    /// The bonus of each slot according to the weights.
    private func bonus(_ weights: MemoryWeights, now: Int64) -> [Float] {
        Array(unsafeUninitializedCapacity: vectors.slots) { bonus, count in
            vectors.eachHead { slot, createdAt, importance in
                bonus.initializeElement(at: slot, to: weights.bonus(createdAt: createdAt, importance: importance, now: now))
            }
            count = vectors.slots
        }
    }

    /// The slots whose memories match the criteria; nil for all.
    private func mask(_ criteria: MemoryCriteria, _ snapshot: MemorySnapshot) throws -> SlotSet? {
        guard !criteria.isEmpty else { return nil }
        if generation != vectors.generation {
            filters.clear()
            generation = vectors.generation
        }
        let slots = vectors.slots
        var places =
            try criteria.filter.map { filter in
                try filters.places(of: filter, slots: slots) { from, body in try readMetadata(from: from, snapshot, body) }
            } ?? SlotSet(slots: slots, all: true)
        guard criteria.asksOfHeads else { return places }
        vectors.eachHead { slot, createdAt, importance in
            if !criteria.admits(createdAt: createdAt, importance: importance) { places[slot] = false }
        }
        return places
    }

    /// The largest gap between two ids that are still read in one range.
    private static let nearIDs: Int64 = 64

    /// Passes on the metadata of slots from the given one on. For a dead slot this may be the metadata of a later version of its memory.
    private func readMetadata(from: Int, _ snapshot: MemorySnapshot, _ body: (_ slot: Int, _ metadata: JSONValue) -> Void) throws {
        let places = (from..<vectors.slots).map { (id: vectors.memoryID($0), slot: $0) }.sorted { $0 < $1 }
        guard let last = places.last else { return }
        // Most of a space is read in one range; a few new entries are looked up one by one.
        let isMost = places.count * 8 > vectors.slots
        var next = 0
        while next < places.count {
            var end = next + 1
            while end < places.count, isMost || places[end].id - places[end - 1].id <= Self.nearIDs { end += 1 }
            var place = next
            try snapshot.metadata(of: space.namespaceID, ids: places[next].id...(isMost ? last : places[end - 1]).id) { id, text in
                while place < end, places[place].id < id { place += 1 }
                guard place < end, places[place].id == id, let text else { return }
                guard let metadata = try? JSONValue.parse(text) else {
                    throw StoreError(.corrupt, "the metadata of memory \(id) is damaged")
                }
                while place < end, places[place].id == id {
                    body(places[place].slot, metadata)
                    place += 1
                }
            }
            next = end
        }
    }
}
