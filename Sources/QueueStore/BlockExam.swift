/// Looks at blocks, one after the other, for what must not be.
struct BlockExam {
    private(set) var faults: [String] = []
    private let snapshot: MemorySnapshot
    /// Dead entries found, by memory.
    private var dead: [Int64: Int64] = [:]
    /// Live entries found, by space.
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

    /// What shows once all blocks have been seen: dead entries that no change tells of, and memories whose entry is missing.
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
