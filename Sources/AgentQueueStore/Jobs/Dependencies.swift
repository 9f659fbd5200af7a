import AgentQueueModel

/// How the jobs stand that a new one is to wait for.
struct DependencyStates {
    /// Whether one has yet to complete.
    var isOpen = false
    /// One that ended without completing.
    var failed: Int64?
}

extension MaintenanceStore {
    /// Tells dependents what became of the jobs they wait for, one slice of work. What to tell follows from the job's
    /// present state, so a retry in between is told instead of the end it undid.
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

    /// Notes that those who depend on a job must be told of its new state. Costs one look where there are none.
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

    /// A job may complete before those were restored that its earlier end had cancelled.
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

    /// Cancels what waits on a job that will not complete, and has their dependents told in turn.
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

    /// Restores what a job's end cancelled, now that the job has a new chance.
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

    /// Puts a cancelled job back to waiting. One whose unique key has been taken meanwhile stays cancelled, and says why.
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

    /// A job that waits again, and for some that ended without completing, would wait for ever: it is told of those ends.
    /// (What it waits for must be retried first, which restores it.) Of all of them: each may be retried before it tells.
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
