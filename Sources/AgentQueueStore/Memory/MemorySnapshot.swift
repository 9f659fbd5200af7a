import AgentQueueModel

/// The memories at one moment, as a search reads them. Valid only within ``MemoryStore/withSnapshot(_:)``, on its thread.
package final class MemorySnapshot {
    let reader: ReadConnection
    /// The wall clock, ms. Memories that have expired by then are omitted.
    package let now: Int64

    init(_ reader: ReadConnection, now: Int64) {
        self.reader = reader
        self.now = now
    }

    func statement(_ sql: StaticString) throws(SQLFailure) -> Statement { try reader.statement(sql) }

    /// The largest number assigned: an index that has applied all changes up to it is as current as this snapshot.
    package func latestNumber() throws -> Int64 {
        try statement("SELECT value FROM counters WHERE name = 'memory'").first { $0.int64(0) } ?? 0
    }

    /// The namespace with a name; nil if there is none.
    package func namespace(named name: String) throws -> MemoryNamespace? {
        let row = try statement("SELECT id, name, memories, bytes, space_id FROM namespaces WHERE name = ? AND is_forgotten = 0")
            .bind(name).first { (Self.namespace($0), $0.optionalInt64(4)) }
        return try row.map(withSpaces)
    }

    /// All namespaces, by name.
    package func namespaces() throws -> [MemoryNamespace] {
        try statement("SELECT id, name, memories, bytes, space_id FROM namespaces WHERE is_forgotten = 0 ORDER BY name")
            .all { (Self.namespace($0), $0.optionalInt64(4)) }.map(withSpaces)
    }

    private static func namespace(_ row: Statement) -> MemoryNamespace {
        MemoryNamespace(id: row.int64(0), name: row.text(1), space: nil, building: nil, memories: row.int(2), bytes: row.int64(3))
    }

    private func withSpaces(_ namespace: MemoryNamespace, current: Int64?) throws -> MemoryNamespace {
        var namespace = namespace
        let id = namespace.id
        try statement("SELECT id, model, passage_prefix, dimension FROM memory_spaces WHERE namespace_id = ? AND state <> 'dropped'")
            .bind(id).eachRow { row in
                let space = MemorySpace(
                    id: row.int64(0), namespaceID: id, model: VectorModel(target: row.text(1), passagePrefix: row.text(2)),
                    dimension: row.dimension(3))
                if space.id == current { namespace.space = space } else { namespace.building = space }
            }
        return namespace
    }

    /// The memories that will expire, by the id of their namespace. Those without a time to live cost nothing.
    package func expiring() throws -> [Int64: MemoryExpiring] {
        let rows = try statement(
            """
            SELECT namespace_id, count(*), min(expires_at) FROM memories WHERE expires_at IS NOT NULL AND expires_at > ? GROUP BY namespace_id
            """
        ).bind(now).all { ($0.int64(0), MemoryExpiring(memories: $0.int(1), next: $0.int64(2))) }
        return Dictionary(rows) { $1 }
    }

    /// How many memories have their vector in a space that is being built.
    package func progress(of space: MemorySpace) throws -> Int {
        try statement("SELECT live FROM memory_spaces WHERE id = ?").bind(space.id).first { $0.int(0) } ?? 0
    }

    // MARK: Memories

    /// The memories with the given ids, by id; missing and expired ones are omitted.
    package func memories(_ ids: [Int64]) throws -> [Int64: Memory] {
        var memories: [Int64: Memory] = [:]
        memories.reserveCapacity(ids.count)
        for id in ids {
            let row = try statement(
                """
                SELECT memories.id, name, key, text, metadata, importance, memories.created_at, recalled_at, expires_at, version
                FROM memories JOIN namespaces ON namespaces.id = namespace_id
                WHERE memories.id = ? AND is_forgotten = 0 AND (expires_at IS NULL OR expires_at > ?)
                """
            ).bind(id).bind(now).first { MemoryRow($0) }
            memories[id] = try row?.memory
        }
        return memories
    }

    /// The id of the memory with a key; nil if there is none or it has expired.
    package func memoryID(key: String, in namespace: Int64) throws -> Int64? {
        try statement("SELECT id FROM memories WHERE namespace_id = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)")
            .bind(namespace).bind(key).bind(now).first { $0.int64(0) }
    }

    /// Passes on the metadata of a namespace's memories within a range of ids, in the order of their ids, as JSON text; nil for a memory
    /// without any.
    package func metadata(
        of namespace: Int64, ids: ClosedRange<Int64>, _ body: (_ id: Int64, _ metadata: String?) throws -> Void
    ) throws {
        try statement(
            """
            SELECT id, metadata FROM memories INDEXED BY memories_namespace WHERE namespace_id = ? AND id BETWEEN ? AND ?
            ORDER BY namespace_id, id
            """
        ).bind(namespace).bind(ids.lowerBound).bind(ids.upperBound).eachRow { try body($0.int64(0), $0.optionalText(1)) }
    }
}

extension MemorySnapshot {
    /// The ids of unexpired memories, newest first.
    /// - Parameters:
    ///   - namespace: its row id; nil is all.
    ///   - id: only smaller ids; nil starts with the newest.
    package func newest(in namespace: Int64? = nil, before id: Int64? = nil, limit: Int) throws -> [Int64] {
        guard let namespace else {
            return try statement("SELECT id FROM memories WHERE id < ? AND (expires_at IS NULL OR expires_at > ?) ORDER BY id DESC LIMIT ?")
                .bind(id ?? .max).bind(now).bind(limit).all { $0.int64(0) }
        }
        return try statement(
            """
            SELECT id FROM memories WHERE namespace_id = ? AND id < ? AND (expires_at IS NULL OR expires_at > ?) ORDER BY id DESC LIMIT ?
            """
        ).bind(namespace).bind(id ?? .max).bind(now).bind(limit).all { $0.int64(0) }
    }

    /// The exact vectors of memories in a space, by id; memories without a vector there are omitted.
    package func vectors(of ids: [Int64], in space: MemorySpace) throws -> [Int64: [Float]] {
        let entries = try numbers(of: ids, in: space)
        var vectors: [Int64: [Float]] = [:]
        try self.vectors(entries.map(\.number), of: space) { index, bytes in
            vectors[entries[index].memoryID] = (0..<space.dimension).map { place in
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * place, as: UInt32.self)))
            }
        }
        return vectors
    }
}
