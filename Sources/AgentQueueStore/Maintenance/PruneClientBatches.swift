import AgentQueueModel

extension MaintenanceStore {
    /// Removes batches of clients that ended before a time, as long ago as their files are kept. Returns how many.
    func pruneClientBatches(before: Int64, _ slice: inout PruneSlice) async throws -> Int {
        var removed = 0
        while true {
            let isGone = try await write(&slice) { transaction, limit -> Bool? in
                guard let batch = try transaction.endedClientBatch(before: before) else { return nil }
                return try transaction.removeClientBatch(batch, lines: limit)
            }
            guard let isGone else { return removed }
            if isGone { removed += 1 }
        }
    }

    static func excessOfClientBatches(before: Int64, _ reader: ReadConnection) throws -> Int {
        try reader.statement("SELECT count(*) FROM client_batches WHERE ended_at IS NOT NULL AND ended_at <= ?").bind(before)
            .first { $0.int(0) } ?? 0
    }
}

extension WriteTransaction {
    fileprivate func endedClientBatch(before: Int64) throws(SQLFailure) -> Int64? {
        try statement("SELECT id FROM client_batches WHERE ended_at IS NOT NULL AND ended_at <= ? ORDER BY ended_at LIMIT 1").bind(before)
            .number()
    }
}
