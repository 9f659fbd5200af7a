extension MaintenanceStore {
    /// Queries that find violations among memories, each with the sentence that reports them.
    static let memoryInvariants: [(sql: String, sentence: String)] = [
        (
            """
            SELECT name, value FROM counters WHERE (name = 'memories' AND value <> (SELECT count(*) FROM memories))
            OR (name = 'memory_bytes' AND value <> (SELECT coalesce(sum(bytes), 0) FROM memories))
            """, "a count of memories is wrong"
        ),
        (
            """
            SELECT namespaces.id, namespaces.memories AS kept, found FROM namespaces
            LEFT JOIN (SELECT namespace_id, count(*) AS found, sum(bytes) AS room FROM memories GROUP BY namespace_id) AS counted
            ON namespace_id = namespaces.id WHERE namespaces.memories <> coalesce(found, 0) OR namespaces.bytes <> coalesce(room, 0)
            """, "a namespace's count is wrong"
        ),
        (
            """
            SELECT namespaces.id, space_id FROM namespaces LEFT JOIN memory_spaces ON memory_spaces.id = space_id
            WHERE space_id IS NOT NULL AND (memory_spaces.state IS DISTINCT FROM 'current' OR memory_spaces.namespace_id IS DISTINCT FROM namespaces.id)
            """, "a namespace is searched by vectors that are not its own"
        ),
        (
            """
            SELECT memory_spaces.id, state FROM memory_spaces JOIN namespaces ON namespaces.id = namespace_id
            WHERE state = 'current' AND space_id IS DISTINCT FROM memory_spaces.id
            """, "vectors that are current are not searched"
        ),
        (
            "SELECT namespace_id FROM memory_spaces WHERE state = 'building' GROUP BY namespace_id HAVING count(*) > 1",
            "a namespace is embedded again twice at once"
        ),
        (
            """
            SELECT id, live AS kept, (SELECT count(*) FROM memory_entries WHERE space_id = memory_spaces.id) AS found FROM memory_spaces
            WHERE state = 'building' AND live <> (SELECT count(*) FROM memory_entries WHERE space_id = memory_spaces.id)
            """, "a count of vectors that are being made is wrong"
        ),
        (
            "SELECT memory_id, space_id FROM memory_entries WHERE memory_id NOT IN (SELECT id FROM memories)",
            "a vector is noted for a memory that is gone"
        ),
        (
            """
            SELECT id, version FROM memories WHERE max(version, coalesce(entry, 0)) > (SELECT value FROM counters WHERE name = 'memory')
            """, "a memory's number is ahead of its counter"
        ),
        (
            """
            SELECT memory_id, number FROM memory_changes LEFT JOIN memories ON memories.id = memory_id
            WHERE number > (SELECT value FROM counters WHERE name = 'memory') OR number > version
            """, "a change of a memory is not the memory's own"
        ),
        (
            """
            SELECT id, words_to FROM namespaces WHERE words_to > (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'memories')
            """, "the index of words is ahead of the memories"
        ),
        (
            """
            SELECT memories.id FROM memories JOIN namespaces ON namespaces.id = namespace_id
            WHERE memories.id <= words_to AND memories.id NOT IN (SELECT id FROM memory_words_docsize)
            """, "a memory's words are not in the index"
        ),
        (
            """
            SELECT memory_words_docsize.id FROM memory_words_docsize LEFT JOIN memories ON memories.id = memory_words_docsize.id
            LEFT JOIN namespaces ON namespaces.id = namespace_id WHERE memories.id IS NULL OR memories.id > words_to
            """, "the index of words holds a memory that is not there"
        ),
        (
            """
            SELECT memories.id FROM memories JOIN namespaces ON namespaces.id = namespace_id WHERE memories.id <= digested_to
            AND digest IS NOT NULL AND NOT EXISTS (SELECT 1 FROM memory_digests WHERE memory_digests.namespace_id = namespaces.id
            AND memory_digests.digest = memories.digest AND memory_id = memories.id)
            """, "a memory's digest is not in its index"
        ),
        (
            """
            SELECT memory_id FROM memory_digests LEFT JOIN memories ON memories.id = memory_id
            WHERE memories.digest IS DISTINCT FROM memory_digests.digest
            OR memories.namespace_id IS DISTINCT FROM memory_digests.namespace_id
            """, "the index of digests holds a memory that is not there"
        ),
        (
            "SELECT id, digest FROM memories WHERE (key IS NULL) <> (digest IS NOT NULL)",
            "a memory has a key and a digest, or neither"
        ),
        (
            "SELECT block_id FROM memory_vectors WHERE block_id NOT IN (SELECT id FROM memory_blocks)",
            "vectors belong to no block"
        ),
    ]
}

extension MemorySnapshot {
    /// The faults in blocks; checks every entry.
    func faultyBlocks() throws -> [String] {
        var exam = BlockCheck(self)
        try statement(
            """
            SELECT memory_blocks.id, space_id, last, entries, dead, dimension, heads, codes, vectors FROM memory_blocks
            JOIN memory_spaces ON memory_spaces.id = space_id
            LEFT JOIN memory_codes ON memory_codes.block_id = memory_blocks.id
            LEFT JOIN memory_vectors ON memory_vectors.block_id = memory_blocks.id ORDER BY memory_blocks.space_id, last
            """
        ).eachRow { row in
            let summary = BlockSummary(id: row.int64(0), last: row.int64(2), entries: row.int(3), dead: row.int(4))
            let content = BlockContent(heads: row.blob(6), codes: row.blob(7), values: row.blob(8))
            try exam.examine(summary, content, space: row.int64(1), dimension: row.dimension(5))
        }
        try exam.end()
        return Array(exam.faults.prefix(20))
    }
}

/// Checks blocks one after the other.
struct BlockCheck {
    private(set) var faults: [String] = []
    private let snapshot: MemorySnapshot
    /// The number of dead entries found, by memory.
    private var dead: [Int64: Int64] = [:]
    /// The number of live entries found, by space.
    private var live: [Int64: Int] = [:]
    private var previous: (space: Int64, last: Int64) = (0, 0)

    init(_ snapshot: MemorySnapshot) { self.snapshot = snapshot }

    mutating func examine(_ block: BlockSummary, _ content: BlockContent, space: Int64, dimension: Int) throws {
        guard content.count == block.entries, content.isWhole(dimension: dimension)
        else {
            faults.append("a block has not the bytes of its entries: id \(block.id), entries \(block.entries)")
            return
        }
        if space == previous.space, block.id <= previous.last { faults.append("a block begins before the last ends: id \(block.id)") }
        previous = (space, block.last)
        var number = block.id - 1
        var deadHere = 0
        for index in 0..<content.count {
            let entry = content.entry(index)
            if entry.head.number <= number { faults.append("a block's numbers do not rise: id \(block.id), entry \(index)") }
            number = entry.head.number
            try examine(entry, space: space, &deadHere)
        }
        if content.head(0).number != block.id || number != block.last { faults.append("a block's numbers are not its own: id \(block.id)") }
        if deadHere != block.dead {
            faults.append("a block's count of dead entries is wrong: id \(block.id), kept \(block.dead), found \(deadHere)")
        }
    }

    private mutating func examine(_ entry: NewEntry, space: Int64, _ deadHere: inout Int) throws {
        let head = entry.head
        let memory = try snapshot.statement("SELECT version, importance, created_at, expires_at FROM memories WHERE id = ?")
            .bind(head.memoryID).first { row in
                (
                    version: row.int64(0), importance: Float(row.double(1)), createdAt: row.int64(2),
                    expiresAt: row.optionalInt64(3) ?? .max
                )
            }
        if let memory, memory.version < head.number {
            live[space, default: 0] += 1
            if (memory.importance, memory.createdAt, memory.expiresAt) != (head.importance, head.createdAt, head.expiresAt) {
                faults.append("an entry is not as its memory: memory \(head.memoryID), number \(head.number)")
            }
        } else {
            deadHere += 1
            dead[head.memoryID, default: 0] += 1
        }
        let values = entry.values.withUnsafeBytes { bytes in
            (0..<entry.codes.count).map { index in
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
            }
        }
        guard let vector = try? MemoryVector(values), vector.codes == entry.codes,
            (vector.scale, vector.error, vector.norm) == (head.scale, head.error, head.norm)
        else {
            faults.append("an entry's codes are not those of its vector: memory \(head.memoryID), number \(head.number)")
            return
        }
    }

    /// Adds the faults that only show after all blocks: dead entries without a recorded change, and memories whose entry is missing.
    mutating func end() throws {
        var told: [Int64: Int64] = [:]
        try snapshot.statement("SELECT memory_id, dead FROM memory_changes WHERE dead > 0").eachRow { told[$0.int64(0)] = $0.int64(1) }
        for memory in Set(told.keys).union(dead.keys).sorted() where told[memory] != dead[memory] {
            faults.append("a memory's count of dead entries is wrong: id \(memory), kept \(told[memory] ?? 0), found \(dead[memory] ?? 0)")
        }
        let spaces = try snapshot.statement(
            """
            SELECT id, (SELECT count(*) FROM memories WHERE namespace_id = memory_spaces.namespace_id AND (
                entry IS NOT NULL OR EXISTS (SELECT 1 FROM memory_entries WHERE memory_id = memories.id AND space_id = memory_spaces.id)))
            FROM memory_spaces WHERE state = 'current'
            UNION ALL SELECT id, live FROM memory_spaces WHERE state = 'building'
            """
        ).all { (id: $0.int64(0), expected: $0.int(1)) }
        for space in spaces where live[space.id] ?? 0 != space.expected {
            faults.append(
                "memories lack their vector, or have two: space \(space.id), expected \(space.expected), found \(live[space.id] ?? 0)")
        }
    }
}
