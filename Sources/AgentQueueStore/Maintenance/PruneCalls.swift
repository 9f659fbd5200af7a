import AgentQueueModel

extension MaintenanceStore {
    /// Removes the gateway's jobs that the cache answered at once, before a time: clients may send any number of them.
    func pruneCachedCalls(before: Int64, _ slice: inout PruneSlice) async throws -> Int {
        var removed = 0
        var after: Int64 = 0
        while true {
            let from = after
            let done = try await write(&slice) { try $0.pruneCachedCalls(before: before, after: from, slice: $1) }
            removed += done.removed
            guard let last = done.last else { return removed }
            after = last
        }
    }

    /// Counts those that pruning would remove, beyond those that have had the time of other completed jobs.
    static func excessOfCachedCalls(_ policy: PrunePolicy, now: Int64, _ reader: ReadConnection) throws -> Int {
        guard let age = policy.cachedCalls else { return 0 }
        return try reader.statement(
            """
            SELECT count(*) FROM gateway_calls CROSS JOIN jobs ON jobs.id = job_id
            WHERE is_cached = 1 AND state = 'completed' AND finalized_at <= ? AND finalized_at > ?
            AND NOT EXISTS (SELECT 1 FROM dependencies CROSS JOIN jobs AS waiting ON waiting.id = dependencies.job_id
                            WHERE depends_on = jobs.id AND waiting.finalized_at IS NULL)
            """
        ).bind(now - age).bind(now - policy.completed).first { $0.int(0) } ?? 0
    }
}

extension WriteTransaction {
    /// Removes one slice. `last` is where the next one continues; nil at the end.
    fileprivate func pruneCachedCalls(before: Int64, after: Int64, slice: Int) throws -> (removed: Int, last: Int64?) {
        let jobs = try statement(
            """
            SELECT id, lane_id, batch_id, finalized_at FROM gateway_calls CROSS JOIN jobs ON jobs.id = job_id
            WHERE is_cached = 1 AND state = 'completed' AND job_id > ? ORDER BY job_id LIMIT ?
            """
        ).bind(after).bind(slice).all { (id: $0.int64(0), lane: $0.int64(1), batch: $0.optionalInt64(2), time: $0.int64(3)) }
        // They ended as they were added, so that a later one has ended later.
        let due = jobs.prefix { $0.time <= before }
        var removed = 0
        for job in due {
            if case .changed = try delete(job.id, .completed, lane: job.lane, batch: job.batch) { removed += 1 }
        }
        return (removed, due.count < slice ? nil : due.last?.id)
    }
}
