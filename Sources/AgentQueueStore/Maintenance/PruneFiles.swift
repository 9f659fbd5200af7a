import AgentQueueModel

extension MaintenanceStore {
    /// Removes files that have expired, and what was uploaded of files that never became complete. Returns how many.
    func pruneFiles(before: Int64, _ slice: inout PruneSlice) async throws -> Int {
        var removed = 0
        while true {
            let isGone = try await write(&slice) { transaction, limit -> Bool? in
                guard let file = try transaction.expiredFile(at: before) else { return nil }
                return try transaction.removeFile(file, pieces: max(1, min(limit, FileStore.piecesAtOnce)))
            }
            guard let isGone else { return removed }
            if isGone { removed += 1 }
        }
    }

    static func excessOfFiles(now: Int64, _ reader: ReadConnection) throws -> Int {
        try reader.statement("SELECT count(*) FROM files WHERE expires_at <= ?").bind(now).first { $0.int(0) } ?? 0
    }
}

extension WriteTransaction {
    fileprivate func expiredFile(at time: Int64) throws(SQLFailure) -> Int64? {
        try statement(
            """
            SELECT id FROM files WHERE expires_at <= ? AND NOT EXISTS (
                SELECT 1 FROM client_batches WHERE input_file = files.id AND ingested_at IS NULL AND ended_at IS NULL)
            ORDER BY expires_at, id LIMIT 1
            """
        ).bind(time).first { $0.int64(0) }
    }
}
