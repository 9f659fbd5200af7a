import Foundation
import GRDB
import JobModel

extension MemorySnapshot {
    /// The ids of memories, the newest first; those that have expired are left out.
    /// - Parameters:
    ///   - namespace: its row; nil is all.
    ///   - id: only smaller ids; nil begins with the newest.
    public func newest(in namespace: Int64? = nil, before id: Int64? = nil, limit: Int) throws -> [Int64] {
        let condition = namespace == nil ? "" : "namespace_id = ? AND "
        let arguments = StatementArguments(namespace.map { [$0] } ?? []) + [id ?? .max, now, limit]
        return try Int64.fetchAll(
            database.cachedStatement(
                sql: """
                    SELECT id FROM memories WHERE \(condition)id < ? AND (expires_at IS NULL OR expires_at > ?)
                    ORDER BY id DESC LIMIT ?
                    """), arguments: arguments)
    }

    /// Entries with larger numbers, in the order of these, without their vectors: at least `limit` of them where there are so many, dead ones
    /// among them (an entry lives while its number is larger than its memory's version).
    public func entries(of space: MemorySpace, after number: Int64, limit: Int) throws -> [MemoryEntry] {
        let heads = try Data.fetchCursor(
            database.cachedStatement(sql: "SELECT heads FROM memory_blocks WHERE space_id = ? AND last > ? ORDER BY last"),
            arguments: [space.id, number])
        var entries: [MemoryEntry] = []
        while entries.count < limit, let bytes = try heads.next() {
            bytes.withUnsafeBytes { heads in
                let block = MemoryBlock(heads: heads, codes: UnsafeRawBufferPointer(start: nil, count: 0))
                for index in 0..<block.count {
                    let entry = block.entry(index)
                    if entry.number > number { entries.append(entry) }
                }
            }
        }
        return entries
    }

    /// The vector of a memory in a space, as it was given; nil where it has none there. Goes through the heads of entries.
    public func vector(of memory: Memory, in space: MemorySpace) throws -> [Float]? {
        var number = memory.version
        while case let entries = try entries(of: space, after: number, limit: 4_096), let last = entries.last {
            if let entry = entries.first(where: { $0.memoryID == memory.id }) { return try vectors([entry.number], of: space).first ?? nil }
            number = last.number
        }
        return nil
    }

    /// The vectors of entries, by their numbers, in ascending order; nil for one that is gone.
    public func vectors(_ numbers: [Int64], of space: MemorySpace) throws -> [[Float]?] {
        var vectors = [[Float]?](repeating: nil, count: numbers.count)
        try self.vectors(numbers, of: space) { index, bytes in
            vectors[index] = (0..<space.dimension).map { place in
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * place, as: UInt32.self)))
            }
        }
        return vectors
    }
}
