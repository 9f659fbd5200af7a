import AgentQueueModel

extension MaintenanceStore {
    /// How many runs pruning would remove.
    static func excessOfRuns(_ policy: PrunePolicy, now: Int64, _ reader: ReadConnection) throws -> Int {
        let statement = try reader.statement(
            "SELECT count(*) FROM runs WHERE finalized_at IS NOT NULL AND finalized_at <= ? AND state = ? AND sweep IN (0, 3)")
        return try policy.runAges.reduce(0) { sum, age in
            try sum + (statement.bind(now - age.time).bind(age.state.rawValue).first { $0.int(0) } ?? 0)
        }
    }

    /// Removes runs that the policy no longer keeps, with their steps and the jobs of these, and the definitions that no run uses any
    /// more.
    /// - Returns: how many runs.
    func pruneRuns(_ policy: PrunePolicy, _ slice: inout PruneSlice) async throws -> Int {
        let now = clock.wall()
        var removed = 0
        for age in policy.runAges {
            while true {
                let (runs, limit) = try await write(&slice) { transaction, limit in
                    (try transaction.runsToPrune(age.state, before: now - age.time, limit: limit), limit)
                }
                for run in runs { while try await !write(&slice, { try $0.prune(run: run, slice: $1) }) {} }
                removed += runs.count
                if runs.count < limit { break }
            }
        }
        try await prune(&slice) { try $0.pruneDefinitions(slice: $1) }
        return removed
    }
}

extension PrunePolicy {
    /// How long runs are kept, by final state: the same as jobs.
    fileprivate var runAges: [(state: RunState, time: Int64)] { [(.completed, completed), (.cancelled, cancelled), (.failed, discarded)] }
}

extension WriteTransaction {
    /// Runs that ended before a time and have no call in progress. This marks them as being removed, so that they cannot be retried.
    fileprivate func runsToPrune(_ state: RunState, before: Int64, limit: Int) throws(SQLFailure) -> [Int64] {
        try statement(
            """
            UPDATE runs SET sweep = 3, version = version + 1 WHERE id IN (
                SELECT id FROM runs WHERE finalized_at IS NOT NULL AND finalized_at <= ?1 AND state = ?2 AND sweep IN (0, 3)
                ORDER BY finalized_at LIMIT ?3) RETURNING id
            """
        ).bind(before).bind(state.rawValue).bind(limit).all { $0.int64(0) }
    }

    /// Removes one slice of a run's jobs and, once none is left, the run. Returns whether the run was removed.
    fileprivate func prune(run: Int64, slice: Int) throws -> Bool {
        let jobs = try statement("SELECT id, lane_id, batch_id, state FROM jobs INDEXED BY jobs_run WHERE run_id = ? LIMIT ?")
            .bind(run).bind(slice).all {
                (id: $0.int64(0), lane: $0.int64(1), batch: $0.optionalInt64(2), state: JobState(rawValue: $0.text(3)) ?? .completed)
            }
        for job in jobs {
            try statement("DELETE FROM run_steps WHERE job_id = ?").bind(job.id).run()
            if case .changed = try delete(job.id, job.state, lane: job.lane, batch: job.batch) { continue }
            // Another job depends on this one: detach it from the run.
            try statement("UPDATE jobs SET run_id = NULL WHERE id = ?").bind(job.id).run()
        }
        guard jobs.count < slice else { return false }
        try statement("DELETE FROM watches WHERE kind = 'run' AND subject_id = ?").bind(run).run()
        try statement("DELETE FROM runs WHERE id = ?").bind(run).run()
        return true
    }

    /// Removes definitions that no run uses. Returns how many.
    fileprivate func pruneDefinitions(slice: Int) throws(SQLFailure) -> Int {
        try statement(
            """
            DELETE FROM pipelines WHERE digest IN (
                SELECT digest FROM pipelines WHERE NOT EXISTS (SELECT 1 FROM runs WHERE pipeline = digest) LIMIT ?)
            """
        ).bind(slice).run()
    }
}
