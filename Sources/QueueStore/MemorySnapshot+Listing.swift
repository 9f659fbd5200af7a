extension MemorySnapshot {
    /// The ids of memories, the newest first; those that have expired are left out.
    /// - Parameters:
    ///   - namespace: its row; nil is all.
    ///   - id: only smaller ids; nil begins with the newest.
    public func newest(in namespace: Int64? = nil, before id: Int64? = nil, limit: Int) throws -> [Int64] {
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

    /// The vectors of memories in a space, as they were given, by id; those that have none there are missing.
    public func vectors(of ids: [Int64], in space: MemorySpace) throws -> [Int64: [Float]] {
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
