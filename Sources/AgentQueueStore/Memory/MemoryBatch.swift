/// A batch of memories being stored in a namespace within a transaction. Rows are written immediately, so that later memories of the batch
/// find them; entries are written last, together.
struct MemoryBatch {
    /// Identifies an entry.
    private struct Slot: Hashable {
        var space: Int64
        var memory: Int64
    }

    private let transaction: WriteTransaction
    private var place: NamespaceState
    private let model: VectorModel?
    /// The largest number assigned.
    private var number: Int64
    private var entries: [Slot: NewEntry] = [:]
    /// How many are new.
    private var stored = 0
    /// The block from which an entry was last copied; the next copies are likely to come from it too.
    private var source: (space: Int64, block: BlockContent)?

    init(_ transaction: WriteTransaction, _ place: NamespaceState, model: VectorModel?) throws(SQLFailure) {
        self.transaction = transaction
        self.place = place
        self.model = model
        number = try transaction.latestMemoryNumber()
        try transaction.refreshTail(of: place)
    }

    /// Writes the entries and the largest number assigned.
    func finish() throws(SQLFailure) {
        for space in [place.current, place.building].compactMap(\.self) {
            let own = entries.filter { $0.key.space == space.id }.map(\.value)
            try transaction.insert(own, in: space)
        }
        try transaction.setLatestMemoryNumber(number)
        try transaction.mergeDigests(of: place, stored: stored)
    }

    /// Stores one memory.
    mutating func remember(_ memory: PreparedMemory) throws -> StoreOutcome {
        if let vector = memory.vector, place.current == nil, let model {
            let space = try transaction.makeSpace(in: place, model: model, dimension: vector.dimension, state: "current")
            try transaction.statement("UPDATE namespaces SET space_id = ? WHERE id = ?").bind(space.id).bind(place.id).run()
            place.current = space
        }
        guard let (known, isSame) = try find(memory) else {
            return StoreOutcome(id: try insert(memory), outcome: .stored, expiresAt: memory.expiresAt)
        }
        if isSame {
            return StoreOutcome(id: known.id, outcome: .duplicate, expiresAt: try renew(known, as: memory))
        }
        try replace(known, by: memory)
        return StoreOutcome(id: known.id, outcome: .updated, expiresAt: memory.expiresAt)
    }

    // MARK: What is there

    /// The stored memory that is identical or will be replaced. Expired ones do not count, and are deleted on the way.
    private mutating func find(_ memory: PreparedMemory) throws -> (StoredMemory, isSame: Bool)? {
        let candidates =
            if let key = memory.key {
                try transaction.storedMemory(key: key, in: place.id).map { [$0] } ?? []
            } else {
                try like(memory.digest)
            }
        for known in candidates {
            let isSame = try known.holds(memory) && vectorsAgree(memory, known)
            guard isSame || memory.key != nil else { continue }
            guard let expiresAt = known.expiresAt, expiresAt <= transaction.now else { return (known, isSame) }
            let unwritten = dropUnwritten(of: known.id)
            try transaction.forget(known, in: place, at: nextNumber(), unwritten: unwritten)
        }
        return nil
    }

    /// The memories without a key that may have a digest.
    private func like(_ digest: Int64) throws(SQLFailure) -> [StoredMemory] {
        var found: [StoredMemory] = []
        for id in try transaction.ids(ofDigest: digest, in: place) {
            guard let memory = try transaction.storedMemory(id), memory.namespaceID == place.id, memory.digest == digest else { continue }
            found.append(memory)
        }
        return found
    }

    /// Whether the given vector, where it is part of the identity, equals that of the stored memory.
    private mutating func vectorsAgree(_ memory: PreparedMemory, _ known: StoredMemory) throws(SQLFailure) -> Bool {
        guard memory.vectorCounts, let vector = memory.vector, let space = place.current else { return true }
        return try liveEntry(of: known, in: space).map { $0.values == vector.bytes } ?? true
    }

    /// A memory's entry in a space; nil if it has none.
    private mutating func liveEntry(of memory: StoredMemory, in space: MemorySpace) throws(SQLFailure) -> NewEntry? {
        if let entry = entries[Slot(space: space.id, memory: memory.id)] { return entry }
        guard let number = try transaction.liveNumber(of: memory, in: space.id, of: place) else { return nil }
        if let source, source.space == space.id, let index = source.block.place(of: number) { return source.block.entry(index) }
        guard let block = try transaction.block(of: space, holding: number), let index = block.place(of: number) else { return nil }
        source = (space.id, block)
        return block.entry(index)
    }

    // MARK: What becomes of it

    private mutating func nextNumber() -> Int64 {
        number += 1
        return number
    }

    /// Drops a memory's entries that have not been written yet. Returns their spaces.
    private mutating func dropUnwritten(of memory: Int64) -> [Int64] {
        [place.current, place.building].compactMap(\.self).map(\.id).filter { space in
            entries.removeValue(forKey: Slot(space: space, memory: memory)) != nil
        }
    }

    private mutating func insert(_ memory: PreparedMemory) throws(SQLFailure) -> Int64 {
        let version = nextNumber()
        let entry = memory.vector == nil ? nil : nextNumber()
        let createdAt = memory.createdAt ?? transaction.now
        let bytes = PreparedMemory.bytes(
            text: memory.text, metadata: memory.metadata, key: memory.key, dimension: memory.vector?.dimension ?? 0)
        let id =
            try transaction.statement(
                """
                INSERT INTO memories
                (namespace_id, version, entry, key, text, metadata, digest, importance, bytes, created_at, expires_at, recalled_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
            ).bind(place.id).bind(version).bind(entry).bind(memory.key).bind(memory.text).bind(memory.metadata)
            .bind(memory.key == nil ? memory.digest : nil).bind(memory.importance).bind(bytes).bind(createdAt).bind(memory.expiresAt)
            .bind(memory.recalledAt).insertedID() ?? 0
        stored += 1
        if memory.key == nil { transaction.addDigest(memory.digest, of: id, in: place) }
        transaction.ledger.changeMemories(of: place.id, by: 1, bytes: bytes)
        if let vector = memory.vector, let space = place.current, let entry {
            entries[Slot(space: space.id, memory: id)] = NewEntry(
                vector, number: entry, memory: id, importance: memory.importance, createdAt: createdAt, expiresAt: memory.expiresAt)
        }
        return id
    }

    /// Updates a stored memory from its duplicate: the importance, a missing vector, and the expiry. With a key, the new expiry applies;
    /// without one, the later of the two.
    private mutating func renew(_ known: StoredMemory, as memory: PreparedMemory) throws -> Int64? {
        var renewed = known
        renewed.importance = memory.importance
        if memory.key != nil {
            renewed.expiresAt = memory.expiresAt
        } else if let old = known.expiresAt {
            renewed.expiresAt = memory.expiresAt.map { max($0, old) }
        }
        let gains =
            try memory.vector != nil
            && place.current.map { space throws(SQLFailure) in try liveEntry(of: known, in: space) == nil } ?? false
        guard gains || renewed.importance != known.importance || renewed.expiresAt != known.expiresAt else {
            return known.expiresAt
        }
        try change(known, to: renewed, vector: gains ? memory.vector : nil, keepsText: true)
        return renewed.expiresAt
    }

    /// Replaces the memory with the same key.
    private mutating func replace(_ known: StoredMemory, by memory: PreparedMemory) throws {
        var renewed = known
        renewed.text = memory.text
        renewed.metadata = memory.metadata
        renewed.importance = memory.importance
        renewed.createdAt = memory.createdAt ?? transaction.now
        renewed.expiresAt = memory.expiresAt
        let keepsText = known.text.utf8.elementsEqual(memory.text.utf8)
        if !keepsText, known.id <= place.wordsTo { try transaction.replaceWords(of: known, by: memory.text, in: place) }
        try change(known, to: renewed, vector: memory.vector, keepsText: keepsText)
        try transaction.statement("UPDATE memories SET recalled_at = NULL WHERE id = ?").bind(known.id).run()
    }

    /// Writes a changed memory under a new version.
    /// - Parameters:
    ///   - vector: its new vector; nil keeps the old one if the text is unchanged.
    ///   - keepsText: whether the text is unchanged.
    private mutating func change(_ known: StoredMemory, to renewed: StoredMemory, vector: MemoryVector?, keepsText: Bool) throws {
        // Copy first: the old entries are about to be marked as dead.
        let copies = try [place.current, place.building].compactMap(\.self).compactMap { space in
            let isReplaced = vector != nil && space.id == place.current?.id
            return keepsText && !isReplaced ? try liveEntry(of: known, in: space).map { (space, $0) } : nil
        }
        var renewed = renewed
        renewed.version = nextNumber()
        let unwritten = dropUnwritten(of: known.id)
        try transaction.bury(known, in: place, at: renewed.version, unwritten: unwritten)
        renewed.entry = nil
        var dimension = 0
        if let vector, let space = place.current {
            let number = nextNumber()
            renewed.entry = number
            dimension = vector.dimension
            entries[Slot(space: space.id, memory: known.id)] = NewEntry(
                vector, number: number, memory: known.id, importance: renewed.importance, createdAt: renewed.createdAt,
                expiresAt: renewed.expiresAt)
        }
        for (space, entry) in copies {
            var entry = entry
            entry.head.number = nextNumber()
            entry.head.importance = Float(renewed.importance)
            entry.head.createdAt = renewed.createdAt
            entry.head.expiresAt = renewed.expiresAt ?? .max
            entries[Slot(space: space.id, memory: known.id)] = entry
            dimension = space.dimension
            if space.id == place.current?.id {
                renewed.entry = entry.head.number
            } else {
                try transaction.noteEntry(entry.head.number, of: known.id, in: space.id)
            }
        }
        if let building = place.building, known.id <= place.walkedTo, !copies.contains(where: { $0.0.id == building.id }) {
            try transaction.statement("INSERT INTO memory_revisits (space_id, memory_id) VALUES (?, ?) ON CONFLICT DO NOTHING")
                .bind(building.id).bind(known.id).run()
        }
        let bytes = PreparedMemory.bytes(text: renewed.text, metadata: renewed.metadata, key: renewed.key, dimension: dimension)
        try transaction.statement(
            """
            UPDATE memories SET version = ?, entry = ?, text = ?, metadata = ?, importance = ?, bytes = ?, created_at = ?, expires_at = ?
            WHERE id = ?
            """
        ).bind(renewed.version).bind(renewed.entry).bind(renewed.text).bind(renewed.metadata).bind(renewed.importance).bind(bytes)
            .bind(renewed.createdAt).bind(renewed.expiresAt).bind(known.id).run()
        transaction.ledger.changeMemories(of: place.id, by: 0, bytes: bytes - known.bytes)
    }
}

/// A memory's row, as read for a change.
struct StoredMemory {
    var id: Int64
    var namespaceID: Int64
    var version: Int64
    /// Its entry in the space that was current when it was written; nil without a vector.
    var entry: Int64?
    var key: String?
    /// Finds identical memories; nil if it has a key.
    var digest: Int64?
    var text: String
    var metadata: String?
    var importance: Double
    var bytes: Int64
    var createdAt: Int64
    var expiresAt: Int64?

    /// Reads the columns as selected by the statements below.
    init(_ row: Statement) {
        id = row.int64(0)
        namespaceID = row.int64(1)
        version = row.int64(2)
        entry = row.optionalInt64(3)
        key = row.optionalText(4)
        digest = row.optionalInt64(5)
        text = row.text(6)
        metadata = row.optionalText(7)
        importance = row.double(8)
        bytes = row.int64(9)
        createdAt = row.int64(10)
        expiresAt = row.optionalInt64(11)
    }

    /// Whether its text and metadata are byte for byte those of `memory`.
    func holds(_ memory: PreparedMemory) -> Bool {
        guard text.utf8.elementsEqual(memory.text.utf8) else { return false }
        guard let metadata, let other = memory.metadata else { return metadata == nil && memory.metadata == nil }
        return metadata.utf8.elementsEqual(other.utf8)
    }
}

extension WriteTransaction {
    func storedMemory(_ id: Int64) throws(SQLFailure) -> StoredMemory? {
        try statement(
            """
            SELECT id, namespace_id, version, entry, key, digest, text, metadata, importance, bytes, created_at, expires_at FROM memories
            WHERE id = ?
            """
        ).bind(id).first { StoredMemory($0) }
    }

    func storedMemory(key: String, in namespace: Int64) throws(SQLFailure) -> StoredMemory? {
        try statement(
            """
            SELECT id, namespace_id, version, entry, key, digest, text, metadata, importance, bytes, created_at, expires_at FROM memories
            WHERE namespace_id = ? AND key = ?
            """
        ).bind(namespace).bind(key).first { StoredMemory($0) }
    }
}
