import AgentQueueModel

/// How many memories are kept. Where there are more, the least important go first, of these the longest not recalled, then the oldest.
package struct MemoryPolicy: Sendable, Equatable {
    /// The most that a namespace holds.
    package struct Cap: Sendable, Equatable {
        /// Memories; nil is no bound.
        package var rows: Int?
        /// Their bytes: texts, metadata and vectors; nil is no bound.
        package var bytes: Int64?

        /// Makes a cap.
        package init(rows: Int? = nil, bytes: Int64? = nil) {
            self.rows = rows
            self.bytes = bytes
        }
    }

    /// The most bytes of all memories; nil is no bound.
    package var maxBytes: Int64?
    /// The caps of namespaces, by name.
    package var namespaces: [String: Cap]

    /// Makes a policy.
    package init(maxBytes: Int64? = nil, namespaces: [String: Cap] = [:]) {
        self.maxBytes = maxBytes
        self.namespaces = namespaces
    }
}

extension MaintenanceStore {
    /// Forgets what has expired, then what is over the caps, in slices. Returns how many memories.
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

    /// Forgets the least of what is over a bound. The order is found in a snapshot; each is looked at again before it goes.
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

/// The most that a namespace, or all of them, may hold.
struct MemoryBound {
    /// Nil is all.
    var namespace: Int64?
    var rows: Int?
    var bytes: Int64?

    /// Whether so much is too much.
    func isExceeded(rows: Int64, bytes: Int64) -> Bool { rows > self.rows.map(Int64.init) ?? .max || bytes > self.bytes ?? .max }
}

/// A memory that may have to go.
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
    /// How many memories a namespace, or all of them, hold, and their bytes.
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

    /// The memories that go first, as many as must; at most `limit`.
    func candidates(for bound: MemoryBound, limit: Int) throws -> [MemoryCandidate] {
        var (rows, bytes) = try counts(bound.namespace)
        guard bound.isExceeded(rows: rows, bytes: bytes) else { return [] }
        // About so many that their bytes suffice; where they do not, there is another round.
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

    /// Memories in the order in which they go.
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

    /// How many memories pruning would forget.
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
    /// Forgets some of what has expired. Returns how many.
    func forgetExpired(limit: Int) throws(SQLFailure) -> Int {
        let ids = try statement("SELECT id FROM memories WHERE expires_at <= ? ORDER BY expires_at LIMIT ?").bind(now).bind(limit)
            .all { $0.int64(0) }
        return ids.isEmpty ? 0 : try forget(ids)
    }

    /// Forgets memories as long as a bound is exceeded, but for those that were changed or recalled meanwhile. Returns how many.
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

    /// How many memories a namespace, or all of them, hold, and their bytes, with what this transaction has changed.
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
