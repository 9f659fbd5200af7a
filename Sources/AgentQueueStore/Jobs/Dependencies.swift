import AgentQueueModel

/// The combined state of the jobs that a new job depends on.
struct DependencyStates {
    /// Whether at least one has yet to complete.
    var isOpen = false
    /// The first one that ended without completing.
    var failed: Int64?
}

extension MaintenanceStore {
    /// Propagates finished jobs to their dependents, at most `slice` of them. The effect follows from the job's present state, so after a
    /// retry in between, dependents see the retry instead of the end that it undid.
    /// - Returns: whether there may be more to do.
    package func cascade(slice: Int = 200) async throws -> Bool {
        guard try read({ try $0.statement("SELECT 1 FROM cascades LIMIT 1").exists() }) else { return false }
        return try await write { try $0.cascade(slice: slice) }
    }
}

extension WriteTransaction {
    func dependencyStates(of ids: [Int64]) throws -> DependencyStates {
        var states = DependencyStates()
        for id in ids {
            let name = try statement("SELECT state FROM jobs WHERE id = ?").bind(id).first { $0.text(0) }
            guard let name, let state = JobState(rawValue: name) else {
                throw StoreError(.conflict, "job \(id), which the new job is to wait for, does not exist; nothing was added")
            }
            switch state {
            case .completed: break
            case .cancelled, .discarded: states.failed = states.failed ?? id
            default: states.isOpen = true
            }
        }
        return states
    }

    /// Queues a cascade to the job's dependents. Costs one lookup if it has none.
    func tellDependents(of job: Int64) throws(SQLFailure) {
        let hasDependents = try statement("SELECT 1 FROM dependencies WHERE depends_on = ? LIMIT 1").bind(job).first { _ in true }
        guard hasDependents == true else { return }
        try statement("INSERT INTO cascades (job_id) VALUES (?) ON CONFLICT DO NOTHING").bind(job).run()
        ledger.ringWork()
    }

    func cascade(slice: Int) throws -> Bool {
        let next = try statement(
            "SELECT job_id, (SELECT state FROM jobs WHERE id = job_id) FROM cascades ORDER BY job_id LIMIT 1"
        ).first { ($0.int64(0), $0.text(1)) }
        guard let (job, name) = next else { return false }
        let told =
            switch JobState(rawValue: name) {
            case .completed: try restoreAndRelease(after: job, limit: slice)
            case .cancelled, .discarded: try cancelDependents(of: job, limit: slice)
            default: try restoreDependents(of: job, limit: slice)
            }
        if told < slice { try statement("DELETE FROM cascades WHERE job_id = ?").bind(job).run() }
        return true
    }

    private func dependents(of job: Int64, met: Bool, limit: Int) throws(SQLFailure) -> [Int64] {
        try statement("SELECT job_id FROM dependencies WHERE depends_on = ? AND met = ? LIMIT ?")
            .bind(job).bind(met).bind(limit).all { $0.int64(0) }
    }

    /// Restores first: the job may complete before the dependents that its earlier end cancelled have been restored.
    private func restoreAndRelease(after job: Int64, limit: Int) throws -> Int {
        let restored = try restoreDependents(of: job, limit: limit)
        return try restored + (restored < limit ? release(after: job, limit: limit - restored) : 0)
    }

    private func release(after job: Int64, limit: Int) throws -> Int {
        let dependents = try dependents(of: job, met: false, limit: limit)
        for dependent in dependents {
            try statement("UPDATE dependencies SET met = 1 WHERE job_id = ? AND depends_on = ?").bind(dependent).bind(job).run()
            try releaseIfReady(dependent)
        }
        return dependents.count
    }

    /// Cancels pending dependents of a job that will not complete. Recording their finish queues their own cascades.
    private func cancelDependents(of job: Int64, limit: Int) throws -> Int {
        let dependents = try statement(
            """
            SELECT job_id FROM dependencies CROSS JOIN jobs ON jobs.id = job_id
            WHERE depends_on = ? AND met = 0 AND state = 'pending' LIMIT ?
            """
        ).bind(job).bind(limit).all { $0.int64(0) }
        for dependent in dependents {
            guard try endDependent(dependent, on: job) else { continue }
            try addError(job: dependent, attempt: 0, .dependency, "job \(job), which it depends on, ended without completing")
            try recordFinish(of: dependent, .cancelled)
        }
        return dependents.count
    }

    /// Restores the dependents that a job's earlier end cancelled, since the job has been retried.
    private func restoreDependents(of job: Int64, limit: Int) throws -> Int {
        let dependents = try statement(
            """
            SELECT job_id FROM dependencies CROSS JOIN jobs ON jobs.id = job_id
            WHERE depends_on = ?1 AND cancelled_through = ?1 AND state = 'cancelled' LIMIT ?2
            """
        ).bind(job).bind(limit).all { $0.int64(0) }
        for dependent in dependents { try restore(dependent) }
        return dependents.count
    }

    /// Makes a cancelled job pending again. If its unique key has been taken in the meantime, the job stays cancelled and records why.
    private func restore(_ job: Int64) throws {
        if try isKeyTaken(of: job) {
            try statement("UPDATE jobs SET cancelled_through = NULL WHERE id = ?").bind(job).run()
            try addError(job: job, attempt: 0, .cancelled, "not restored: another job has its unique key now")
            return
        }
        guard try restoreCancelled(job) else { return }
        try releaseIfReady(job)
        try heedFailedDependencies(of: job)
        try tellDependents(of: job)
    }

    /// Queues the cascades of failed dependencies, without which a restored job would wait for them forever. (Retrying such a dependency
    /// first restores the job.) All of them are queued, because each may be retried before its cascade runs.
    func heedFailedDependencies(of job: Int64) throws(SQLFailure) {
        let failed = try statement(
            """
            SELECT depends_on FROM dependencies JOIN jobs ON jobs.id = depends_on
            WHERE job_id = ? AND met = 0 AND jobs.state IN ('cancelled', 'discarded')
            """
        ).bind(job).all { $0.int64(0) }
        for id in failed { try tellDependents(of: id) }
    }
}
