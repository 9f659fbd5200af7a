import AgentQueueModel

/// The changes to a run within one transaction.
extension WriteTransaction {
    /// Whether a run is unchanged since the advance was decided.
    func isCurrent(_ advance: RunAdvance) throws(SQLFailure) -> Bool {
        try statement("SELECT 1 FROM runs WHERE id = ? AND version = ?").bind(advance.run).bind(advance.version).first { _ in true }
            ?? false
    }

    /// Writes an advance. The caller must have checked that it is current.
    func write(_ advance: RunAdvance) throws {
        if advance.resumes { try resume(advance.run) }
        let name = try statement("UPDATE runs SET version = version + 1, is_due = 0 WHERE id = ? RETURNING state")
            .bind(advance.run).first { $0.text(0) }
        let isRunning = name == RunState.running.rawValue
        guard isRunning || advance.onlyRecords else {
            throw StoreError(.internal, "run \(advance.run) has ended, and cannot go on")
        }
        for end in advance.told { try tell(advance.run, end) }
        for path in advance.forgotten { try forget(advance.run, path) }
        for path in advance.revived { try revive(advance.run, path) }
        for step in advance.begun { try begin(advance.run, step) }
        if let end = advance.end {
            try finish(advance.run, end.state, output: end.output, reason: end.reason)
        } else if isRunning, advance.isDue {
            try statement("UPDATE runs SET is_due = 1 WHERE id = ?").bind(advance.run).run()
            ledger.ringWork()
        }
    }

    /// Ends a run. Maintenance cancels its calls that have not begun, one slice at a time.
    /// - Parameter sweep: 1 lets running calls finish, 2 stops them.
    func finish(_ run: Int64, _ state: RunState, output: JSONValue?, reason: String?, sweep: Int = 1) throws(SQLFailure) {
        let sweeps = try statement(
            """
            UPDATE runs SET state = ?2, output = ?3, reason = ?4, finalized_at = ?5, is_due = 0,
            sweep = CASE WHEN EXISTS (SELECT 1 FROM jobs WHERE run_id = ?1 AND finalized_at IS NULL) THEN ?6 ELSE 0 END
            WHERE id = ?1 RETURNING sweep
            """
        ).bind(run).bind(state.rawValue).bind(output?.text).bind(reason).bind(now).bind(sweep).first { $0.int(0) }
        if sweeps != 0 { ledger.ringWork() }
        ledger.ringResults()
        try noteFinished(.run, run)
    }

    /// Queues the end of a job for its run, if the job is a step's call that the run considers running.
    func noteStepEnd(of job: Int64) throws(SQLFailure) {
        let noted = try statement(
            """
            INSERT INTO run_ends (job_id, run_id) SELECT job_id, run_id FROM run_steps WHERE job_id = ? AND state = 'running'
            ON CONFLICT DO NOTHING
            """
        ).bind(job).run()
        if noted == 1 { ledger.ringWork() }
    }

    /// Records a call's end.
    private func tell(_ run: Int64, _ end: StepEnd) throws {
        let (state, message): (StepState, String?) =
            switch end.outcome {
            case .completed: (.completed, nil)
            case .failed(let message): (.failed, message)
            }
        let changed: Int
        if let job = end.jobID {
            changed = try statement("UPDATE run_steps SET state = ? WHERE run_id = ? AND path = ? AND job_id = ? AND state = 'running'")
                .bind(state.rawValue).bind(run).bind(end.path).bind(job).run()
            try statement("DELETE FROM run_ends WHERE job_id = ?").bind(job).run()
        } else {
            changed = try statement(
                """
                INSERT INTO run_steps (run_id, path, job_id, state, message) VALUES (?, ?, NULL, 'failed', ?) ON CONFLICT DO NOTHING
                """
            ).bind(run).bind(end.path).bind(message).run()
        }
        guard changed == 1 else { throw StoreError(.internal, "run \(run) was told of the end of '\(end.path)' twice") }
    }

    /// Begins a call.
    private func begin(_ run: Int64, _ step: NewStep) throws {
        let added = try enqueue(step.job, run: run)
        guard added.duplicateOf == nil else { throw StoreError(.internal, "a step's job has a unique key") }
        let begun = try statement("INSERT INTO run_steps (run_id, path, job_id, state) VALUES (?, ?, ?, 'running') ON CONFLICT DO NOTHING")
            .bind(run).bind(step.path).bind(added.id).run()
        guard begun == 1 else { throw StoreError(.internal, "run \(run) began '\(step.path)' a second time") }
        // The response cache answered the job.
        if added.state.isFinal { try noteStepEnd(of: added.id) }
    }

    // MARK: Retrying

    /// Resumes a run that failed or was cancelled.
    private func resume(_ run: Int64) throws {
        let row = try statement("SELECT state, sweep, unique_key FROM runs WHERE id = ?").bind(run).first {
            ($0.text(0), $0.int(1), $0.optionalText(2))
        }
        guard let (name, sweep, key) = row, let state = RunState(rawValue: name) else {
            throw StoreError(.notFound, "there is no run \(run)")
        }
        guard state == .failed || state == .cancelled else {
            throw StoreError(.conflict, "run \(run) is \(state.rawValue): only one that failed or was cancelled can be retried")
        }
        guard sweep < 2 else { throw StoreError(.conflict, "calls of run \(run) are still being stopped: try again in a moment") }
        if let key, let holder = try holder(ofRunKey: key) {
            throw StoreError(.conflict, "run \(run) cannot be retried: run \(holder) has its unique key now")
        }
        try statement(
            "UPDATE runs SET state = 'running', finalized_at = NULL, output = NULL, reason = NULL, sweep = 0 WHERE id = ?"
        ).bind(run).run()
    }

    /// Deletes a call's record so that it can begin again. Its job stays with the run, because it may have cost something.
    private func forget(_ run: Int64, _ path: String) throws {
        let row = try statement("DELETE FROM run_steps WHERE run_id = ? AND path = ? RETURNING job_id").bind(run).bind(path).first {
            $0.optionalInt64(0)
        }
        guard let row else { throw StoreError(.internal, "run \(run) has no call '\(path)' to forget") }
        guard let job = row else { return }
        try statement("DELETE FROM run_ends WHERE job_id = ?").bind(job).run()
        try cancel(job)
    }

    /// Retries the job of a failed call.
    private func revive(_ run: Int64, _ path: String) throws {
        let job = try statement(
            "UPDATE run_steps SET state = 'running' WHERE run_id = ? AND path = ? AND state = 'failed' AND job_id IS NOT NULL RETURNING job_id"
        ).bind(run).bind(path).first { $0.int64(0) }
        guard let job, case .changed = try revive(job) else {
            throw StoreError(.internal, "run \(run) has no failed call '\(path)' to make again")
        }
        try statement("DELETE FROM run_ends WHERE job_id = ?").bind(job).run()
    }
}

extension RunAdvance {
    /// Whether it only records ended calls.
    fileprivate var onlyRecords: Bool { begun.isEmpty && end == nil && forgotten.isEmpty && revived.isEmpty && !isDue }
}
