import AgentQueueModel

extension MemoryStore {
    /// Reads memories from one snapshot, which a search uses for all its reads.
    /// - Throws: `StoreError`, and whatever the body throws.
    package func withSnapshot<Value>(_ body: (MemorySnapshot) throws -> Value) throws -> Value {
        let now = clock.wall()
        // Errors of the body must not be converted to store errors.
        let result: Result<Value, any Error> = try read { reader in
            let snapshot = MemorySnapshot(reader, now: now)
            do { return .success(try body(snapshot)) } catch let failure as SQLFailure { throw failure } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// Finds memories that are already stored with a vector of that model and need not be embedded. Returns their ids in order; nil for a
    /// memory that is not stored or would replace another.
    package func known(_ memories: [NewMemory], in namespace: String, model: VectorModel) throws -> [Int64?] {
        let prepared = try PreparedMemory.all(memories, in: namespace, model: model)
        return try withSnapshot { snapshot in
            guard let place = try snapshot.namespace(named: namespace), let space = place.space, space.model == model else {
                return memories.map { _ in nil }
            }
            let newest = try snapshot.newest(of: Set(prepared.lazy.filter { $0.key == nil }.map(\.digest)), in: space.namespaceID)
            return try prepared.map { try snapshot.known($0, newest: newest[$0.digest] ?? [], in: space) }
        }
    }

    /// Records that a search returned memories, which pruning takes into account.
    package func noteRecalled(_ ids: [Int64]) async throws {
        for start in stride(from: 0, to: ids.count, by: 1_000) {
            let slice = Array(ids[start..<min(start + 1_000, ids.count)])
            try await write { transaction in
                for id in slice {
                    try transaction.statement("UPDATE memories SET recalled_at = ? WHERE id = ?").bind(transaction.now).bind(id).run()
                }
            }
        }
    }

    /// A page of memories in the order of their ids, after an id, without expired ones; for lists and exports.
    /// - Parameter namespace: nil is all.
    package func list(in namespace: String?, after id: Int64, limit: Int) throws -> [Memory] {
        try withSnapshot { snapshot in
            guard let namespace else { return try snapshot.memories(after: id, limit: limit) }
            guard let place = try snapshot.namespace(named: namespace) else { return [] }
            return try snapshot.memories(of: place.id, after: id, limit: limit)
        }
    }
}

extension MemorySnapshot {
    /// The id of the identical stored memory, if that has a vector.
    /// - Parameter newest: the memories with its digest that are not in the digest index yet.
    fileprivate func known(_ memory: PreparedMemory, newest: [Int64], in space: MemorySpace) throws -> Int64? {
        let found =
            if let key = memory.key {
                try statement(
                    """
                    SELECT id, namespace_id, version, entry, key, digest, text, metadata, importance, bytes, created_at, expires_at FROM memories
                    WHERE namespace_id = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)
                    """
                ).bind(space.namespaceID).bind(key).bind(now).all { StoredMemory($0) }
            } else {
                try Set(indexed(memory.digest, in: space.namespaceID) + newest).sorted().compactMap(live)
            }
        return try found.first { try $0.holds(memory) && !numbers(of: [$0.id], in: space).isEmpty }?.id
    }

    /// The memory with an id, if it has no key and has not expired.
    private func live(_ id: Int64) throws -> StoredMemory? {
        try statement(
            """
            SELECT id, namespace_id, version, entry, key, digest, text, metadata, importance, bytes, created_at, expires_at FROM memories
            WHERE id = ? AND key IS NULL AND (expires_at IS NULL OR expires_at > ?)
            """
        ).bind(id).bind(now).first { StoredMemory($0) }
    }

    /// The memories with a digest that are in the digest index.
    private func indexed(_ digest: Int64, in namespace: Int64) throws -> [Int64] {
        try statement("SELECT memory_id FROM memory_digests WHERE namespace_id = ? AND digest = ?").bind(namespace).bind(digest)
            .all { $0.int64(0) }
    }

    /// The memories with the given digests that are not in the digest index yet.
    fileprivate func newest(of digests: Set<Int64>, in namespace: Int64) throws -> [Int64: [Int64]] {
        var found: [Int64: [Int64]] = [:]
        guard !digests.isEmpty else { return found }
        try statement(
            """
            SELECT digest, id FROM memories INDEXED BY memories_namespace
            WHERE namespace_id = ?1 AND id > (SELECT digested_to FROM namespaces WHERE id = ?1) AND digest IS NOT NULL
            """
        ).bind(namespace).eachRow { row in
            let digest = row.int64(0)
            if digests.contains(digest) { found[digest, default: []].append(row.int64(1)) }
        }
        return found
    }

    fileprivate func memories(after id: Int64, limit: Int) throws -> [Memory] {
        try statement(
            """
            SELECT memories.id, name, key, text, metadata, importance, memories.created_at, recalled_at, expires_at, version
            FROM memories JOIN namespaces ON namespaces.id = namespace_id
            WHERE memories.id > ? AND is_forgotten = 0 AND (expires_at IS NULL OR expires_at > ?) ORDER BY memories.id LIMIT ?
            """
        ).bind(id).bind(now).bind(limit).all { MemoryRow($0) }.map { try $0.memory }
    }

    fileprivate func memories(of namespace: Int64, after id: Int64, limit: Int) throws -> [Memory] {
        try statement(
            """
            SELECT memories.id, name, key, text, metadata, importance, memories.created_at, recalled_at, expires_at, version
            FROM memories JOIN namespaces ON namespaces.id = namespace_id
            WHERE namespace_id = ? AND memories.id > ? AND (expires_at IS NULL OR expires_at > ?) ORDER BY memories.id LIMIT ?
            """
        ).bind(namespace).bind(id).bind(now).bind(limit).all { MemoryRow($0) }.map { try $0.memory }
    }
}
