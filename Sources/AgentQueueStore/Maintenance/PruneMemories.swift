import AgentQueueModel

/// How many memories are kept. Beyond that, the least important are removed first, then those recalled longest ago, then the oldest.
package struct MemoryPolicy: Sendable, Equatable {
    /// The limits of a namespace.
    package struct Cap: Sendable, Equatable {
        /// The most memories; nil is unlimited.
        package var rows: Int?
        /// The most bytes of texts, metadata and vectors; nil is unlimited.
        package var bytes: Int64?

        package init(rows: Int? = nil, bytes: Int64? = nil) {
            self.rows = rows
            self.bytes = bytes
        }
    }

    /// The most bytes of all memories together; nil is unlimited.
    package var maxBytes: Int64?
    /// The caps of namespaces, by name.
    package var namespaces: [String: Cap]

    package init(maxBytes: Int64? = nil, namespaces: [String: Cap] = [:]) {
        self.maxBytes = maxBytes
        self.namespaces = namespaces
    }
}

extension MaintenanceStore {
    /// Removes expired memories, then those over the caps, in slices. Returns how many.
    func pruneMemories(_ policy: MemoryPolicy) async throws -> Int {
        try await clearForgotten()
        var forgotten = 0
        while true {
            let slice = try await write { try $0.forgetExpired(limit: MemoryStore.forgetSlice) }
            forgotten += slice
            if slice < MemoryStore.forgetSlice { break }
        }
        for (name, cap) in policy.namespaces.sorted(by: { $0.key < $1.key }) {
            guard let namespace = try store.memories.withSnapshot({ try $0.namespace(named: name)?.id }) else { continue }
            forgotten += try await evict(MemoryBound(namespace: namespace, rows: cap.rows, bytes: cap.bytes))
        }
        return try await evict(MemoryBound(bytes: policy.maxBytes)) + forgotten
    }

    /// Removes the least important memories over a bound. A snapshot determines the order; the transaction checks each one again before
    /// removing it.
    private func evict(_ bound: MemoryBound) async throws -> Int {
        var forgotten = 0
        while true {
            let candidates = try store.memories.withSnapshot { try $0.candidates(for: bound, limit: 10_000) }
            var progress = 0
            for start in stride(from: 0, to: candidates.count, by: MemoryStore.forgetSlice) {
                let slice = Array(candidates[start..<min(start + MemoryStore.forgetSlice, candidates.count)])
                progress += try await write { try $0.evict(slice, over: bound) }
            }
            forgotten += progress
            if progress == 0 { return forgotten }
        }
    }
}

/// The limit of one namespace, or of all together.
struct MemoryBound {
    /// Nil means all namespaces together.
    var namespace: Int64?
    var rows: Int?
    var bytes: Int64?

    func isExceeded(rows: Int64, bytes: Int64) -> Bool { rows > self.rows.map(Int64.init) ?? .max || bytes > self.bytes ?? .max }
}

/// A memory that may be removed.
struct MemoryCandidate {
    var id: Int64
    var bytes: Int64
    var version: Int64
    var recalledAt: Int64?

    init(_ row: Statement) {
        id = row.int64(0)
        bytes = row.int64(1)
        version = row.int64(2)
        recalledAt = row.optionalInt64(3)
    }
}

extension MemorySnapshot {
    /// The number of memories and their bytes, in one namespace or in all.
    fileprivate func counts(_ namespace: Int64?) throws -> (rows: Int64, bytes: Int64) {
        let counts =
            if let namespace {
                try statement("SELECT memories, bytes FROM namespaces WHERE id = ?").bind(namespace).first { ($0.int64(0), $0.int64(1)) }
            } else {
                try statement(
                    """
                    SELECT (SELECT value FROM counters WHERE name = 'memories'), (SELECT value FROM counters WHERE name = 'memory_bytes')
                    """
                ).first { ($0.int64(0), $0.int64(1)) }
            }
        return counts ?? (0, 0)
    }

    /// The first memories to remove, no more than necessary and at most `limit`.
    func candidates(for bound: MemoryBound, limit: Int) throws -> [MemoryCandidate] {
        var (rows, bytes) = try counts(bound.namespace)
        guard bound.isExceeded(rows: rows, bytes: bytes) else { return [] }
        // Estimates how many memories make up the surplus bytes. If they are too few, there is another round.
        let surplus = bound.bytes.map { Double(max(0, bytes - $0)) / Double(max(1, bytes / max(1, rows))) * 1.2 } ?? 0
        let wanted = max(bound.rows.map { Int(rows) - $0 } ?? 0, Int(min(surplus, 1e9)) + 16)
        var chosen: [MemoryCandidate] = []
        for candidate in try least(of: bound.namespace, limit: min(limit, wanted)) {
            guard bound.isExceeded(rows: rows, bytes: bytes) else { break }
            chosen.append(candidate)
            rows -= 1
            bytes -= candidate.bytes
        }
        return chosen
    }

    /// Memories in the order in which they are removed.
    private func least(of namespace: Int64?, limit: Int) throws -> [MemoryCandidate] {
        guard let namespace else {
            return try statement(
                "SELECT id, bytes, version, recalled_at FROM memories ORDER BY importance, coalesce(recalled_at, created_at), id LIMIT ?"
            ).bind(limit).all { MemoryCandidate($0) }
        }
        return try statement(
            """
            SELECT id, bytes, version, recalled_at FROM memories WHERE namespace_id = ?
            ORDER BY importance, coalesce(recalled_at, created_at), id LIMIT ?
            """
        ).bind(namespace).bind(limit).all { MemoryCandidate($0) }
    }

    /// How many memories pruning would remove.
    func excess(_ policy: MemoryPolicy) throws -> Int {
        var left: [Int64: (rows: Int64, bytes: Int64)] = [:]
        var all: (rows: Int64, bytes: Int64) = (0, 0)
        var expired = 0
        try statement(
            "SELECT namespace_id, count(*), sum(bytes), count(*) FILTER (WHERE expires_at <= ?1), coalesce(sum(bytes) FILTER (WHERE expires_at <= ?1), 0) FROM memories GROUP BY namespace_id"
        ).bind(now).eachRow { row in
            left[row.int64(0)] = (row.int64(1) - row.int64(3), row.int64(2) - row.int64(4))
            all.rows += row.int64(1) - row.int64(3)
            all.bytes += row.int64(2) - row.int64(4)
            expired += row.int(3)
        }
        var bounds: [Int64: MemoryBound] = [:]
        for (name, cap) in policy.namespaces {
            guard let id = try namespace(named: name)?.id else { continue }
            bounds[id] = MemoryBound(namespace: id, rows: cap.rows, bytes: cap.bytes)
        }
        let total = MemoryBound(bytes: policy.maxBytes)
        var gone: Set<Int64> = []
        func walk(_ goes: (_ namespace: Int64) -> Bool) throws {
            try statement(
                """
                SELECT id, bytes, namespace_id FROM memories WHERE expires_at IS NULL OR expires_at > ?
                ORDER BY importance, coalesce(recalled_at, created_at), id
                """
            ).bind(now).eachRow { row in
                guard goes(row.int64(2)), gone.insert(row.int64(0)).inserted else { return }
                left[row.int64(2)]?.rows -= 1
                left[row.int64(2)]?.bytes -= row.int64(1)
                all.rows -= 1
                all.bytes -= row.int64(1)
            }
        }
        if !bounds.isEmpty {
            try walk { id in bounds[id]?.isExceeded(rows: left[id]?.rows ?? 0, bytes: left[id]?.bytes ?? 0) ?? false }
        }
        if total.isExceeded(rows: all.rows, bytes: all.bytes) { try walk { _ in total.isExceeded(rows: all.rows, bytes: all.bytes) } }
        return expired + gone.count
    }
}

extension WriteTransaction {
    /// Removes up to `limit` expired memories. Returns how many.
    func forgetExpired(limit: Int) throws(SQLFailure) -> Int {
        let ids = try statement("SELECT id FROM memories WHERE expires_at <= ? ORDER BY expires_at LIMIT ?").bind(now).bind(limit)
            .all { $0.int64(0) }
        return ids.isEmpty ? 0 : try forget(ids)
    }

    /// Removes memories while a bound is exceeded, except those changed or recalled since the snapshot. Returns how many.
    func evict(_ candidates: [MemoryCandidate], over bound: MemoryBound) throws(SQLFailure) -> Int {
        var (rows, bytes) = try memoryCounts(bound.namespace)
        var ids: [Int64] = []
        for candidate in candidates {
            guard bound.isExceeded(rows: rows, bytes: bytes) else { break }
            let isSame = try statement("SELECT version, recalled_at FROM memories WHERE id = ?").bind(candidate.id).first {
                $0.int64(0) == candidate.version && $0.optionalInt64(1) == candidate.recalledAt
            }
            guard isSame == true else { continue }
            ids.append(candidate.id)
            rows -= 1
            bytes -= candidate.bytes
        }
        return ids.isEmpty ? 0 : try forget(ids)
    }

    /// The number of memories and their bytes, in one namespace or in all, including what this transaction has changed.
    private func memoryCounts(_ namespace: Int64?) throws(SQLFailure) -> (rows: Int64, bytes: Int64) {
        guard let namespace else {
            let counts = try statement("SELECT sum(memories), sum(bytes) FROM namespaces").first { ($0.int64(0), $0.int64(1)) } ?? (0, 0)
            let change = ledger.changeOfNamespaces
            return (counts.0 + change.memories, counts.1 + change.bytes)
        }
        let counts = try statement("SELECT memories, bytes FROM namespaces WHERE id = ?").bind(namespace).first {
            ($0.int64(0), $0.int64(1))
        }
        let change = ledger.change(ofNamespace: namespace)
        return ((counts?.0 ?? 0) + change.memories, (counts?.1 ?? 0) + change.bytes)
    }
}
