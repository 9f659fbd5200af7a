import AgentQueueModel

/// Transitions that end an attempt, a waiting job, or a job whose worker was lost. Each checks the state that the job must still be in, so
/// that only one of two concurrent callers ends the job. A completed job's result is written here too.
extension WriteTransaction {
    // MARK: The end of an attempt

    /// running → the settlement's state, or cancelled if that was requested. Returns nil if the token is no longer the job's.
    func endAttempt(_ request: SettleRequest) throws(SQLFailure) -> JobState? {
        guard let state = try leaveRunning(request) else { return nil }
        ledger.move(lane: request.job.laneID, batch: request.job.batchID, from: .running, to: state)
        return state
    }

    private func leaveRunning(_ request: SettleRequest) throws(SQLFailure) -> JobState? {
        let lease = request.job.lease
        let next = request.settlement
        guard next.state != .completed else {
            let changed = try statement(
                """
                UPDATE jobs SET state = 'completed', token = NULL, worker_id = NULL, lease_expires_at = NULL, finalized_at = ?
                WHERE id = ? AND +state = 'running' AND token = ? AND cancel_requested_at IS NULL
                """
            ).bind(now).bind(lease.jobID).bind(lease.token).run()
            return try changed == 1 ? .completed : leaveAnswered(request)
        }
        // If the job's cancellation was requested while it ran, it is not tried again.
        let name = try statement(
            """
            UPDATE jobs SET state = CASE WHEN ?1 IN ('available', 'retryable') AND cancel_requested_at IS NOT NULL THEN 'cancelled' ELSE ?1 END,
            token = NULL, worker_id = NULL, lease_expires_at = NULL, attempt = attempt - ?2, scheduled_at = coalesce(?3, scheduled_at),
            finalized_at = CASE WHEN ?1 IN ('cancelled', 'discarded') OR cancel_requested_at IS NOT NULL THEN CAST(?4 AS bigint) END
            WHERE id = ?5 AND +state = 'running' AND token = ?6 RETURNING state
            """
        ).bind(next.state.rawValue).bind(next.countsAttempt ? 0 : 1).bind(next.scheduledAt).bind(now).bind(lease.jobID)
            .bind(lease.token).first { $0.text(0) }
        return name.flatMap(JobState.init(rawValue:))
    }

    /// running → cancelled or completed: a job with an answer whose cancellation was requested. It is cancelled if its call continued only
    /// for its followers, and completed if the answer came first.
    private func leaveAnswered(_ request: SettleRequest) throws(SQLFailure) -> JobState? {
        let wentOnForOthers = request.job.useCache ? try isFollowed(request.job.digest) : false
        let name = try statement(
            """
            UPDATE jobs SET state = CASE WHEN ?1 = 1 THEN 'cancelled' ELSE 'completed' END, token = NULL, worker_id = NULL,
            lease_expires_at = NULL, finalized_at = ?2 WHERE id = ?3 AND +state = 'running' AND token = ?4 RETURNING state
            """
        ).bind(wentOnForOthers).bind(now).bind(request.job.id).bind(request.job.lease.token).first { $0.text(0) }
        return name.flatMap(JobState.init(rawValue:))
    }

    /// pending → the settlement's state: a job whose provider batch item has come back. Returns nil if the job no longer waits. The
    /// attempt is counted only now, because an item that comes back unpaid was no attempt.
    func endItem(_ request: SettleRequest) throws(SQLFailure) -> JobState? {
        let next = request.settlement
        let changed = try statement(
            """
            UPDATE jobs SET state = ?1, attempt = attempt + ?2, scheduled_at = coalesce(?3, scheduled_at), attempted_at = ?4,
            finalized_at = CASE WHEN ?1 IN ('completed', 'cancelled', 'discarded') THEN CAST(?4 AS bigint) END
            WHERE id = ?5 AND +state = 'pending'
            """
        ).bind(next.state.rawValue).bind(next.countsAttempt ? 1 : 0).bind(next.scheduledAt).bind(now).bind(request.job.id).run()
        guard changed == 1 else { return nil }
        ledger.move(lane: request.job.laneID, batch: request.job.batchID, from: .pending, to: next.state)
        return next.state
    }

    /// running → available or a final state: a job whose worker was lost. Returns whether the token was still the job's.
    /// - Parameters:
    ///   - counts: whether the attempt counts, because its call had begun.
    ///   - crashed: whether its worker died during the call.
    func endLost(
        _ lease: Lease, lane: Int64, batch: Int64?, to state: JobState, counts: Bool, crashed: Bool
    ) throws(SQLFailure) -> Bool {
        let changed = try statement(
            """
            UPDATE jobs SET state = ?1, token = NULL, worker_id = NULL, lease_expires_at = NULL, attempt = attempt - ?2,
            crashes = crashes + ?3, scheduled_at = ?4, finalized_at = CASE WHEN ?1 <> 'available' THEN CAST(?4 AS bigint) END
            WHERE id = ?5 AND +state = 'running' AND token = ?6
            """
        ).bind(state.rawValue).bind(counts ? 0 : 1).bind(crashed ? 1 : 0).bind(now).bind(lease.jobID).bind(lease.token).run()
        guard changed == 1 else { return false }
        ledger.move(lane: lane, batch: batch, from: .running, to: state)
        return true
    }

    // MARK: The end of a job that waited

    /// pending → completed: a follower that receives its leader's answer. Returns whether it was still pending.
    func endFollower(_ id: Int64, lane: Int64, batch: Int64?) throws(SQLFailure) -> Bool {
        let changed = try statement(
            """
            UPDATE jobs SET state = 'completed', finalized_at = ?1, attempted_at = coalesce(attempted_at, ?1)
            WHERE id = ?2 AND +state = 'pending'
            """
        ).bind(now).bind(id).run()
        guard changed == 1 else { return false }
        ledger.move(lane: lane, batch: batch, from: .pending, to: .completed)
        return true
    }

    /// available → discarded: a job that can never be paid for. Returns whether it was still available.
    func endUnaffordable(_ id: Int64, lane: Int64) throws(SQLFailure) -> Bool {
        let batch = try statement(
            "UPDATE jobs SET state = 'discarded', finalized_at = ? WHERE id = ? AND +state = 'available' RETURNING batch_id"
        ).bind(now).bind(id).first { $0.optionalInt64(0) }
        guard let batch else { return false }
        ledger.move(lane: lane, batch: batch, from: .available, to: .discarded)
        return true
    }

    /// A waiting state → discarded or cancelled: a job that has expired or that a user cancels. The caller has just read its state in this
    /// transaction.
    func endWaiting(_ id: Int64, from state: JobState, to final: JobState, lane: Int64, batch: Int64?) throws(SQLFailure) {
        try statement("UPDATE jobs SET state = ?, finalized_at = ? WHERE id = ? AND +state = ?")
            .bind(final.rawValue).bind(now).bind(id).bind(state.rawValue).run()
        ledger.move(lane: lane, batch: batch, from: state, to: final)
    }

    /// pending → cancelled: a job whose dependency will not complete. Returns whether it was still pending.
    func endDependent(_ id: Int64, on job: Int64) throws(SQLFailure) -> Bool {
        let row = try statement(
            """
            UPDATE jobs SET state = 'cancelled', finalized_at = ?, cancelled_through = ? WHERE id = ? AND +state = 'pending'
            RETURNING lane_id, batch_id
            """
        ).bind(now).bind(job).bind(id).first { ($0.int64(0), $0.optionalInt64(1)) }
        guard let (lane, batch) = row else { return false }
        ledger.move(lane: lane, batch: batch, from: .pending, to: .cancelled)
        return true
    }

    // MARK: What every end leaves

    /// Inserts the result of a completed job.
    func writeResult(
        of job: Int64, reply: String, by answeredBy: AnsweredBy, target: String, usage: Usage, cost: Double? = 0, latency: Int64 = 0
    ) throws(SQLFailure) {
        try statement(
            """
            INSERT INTO results (job_id, reply, answered_by, target, input_tokens, output_tokens, cost_usd, latency_ms, unpriced)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).bind(job).bind(reply).bind(answeredBy.rawValue).bind(target).bind(usage.inputTokens).bind(usage.outputTokens).bind(cost ?? 0)
            .bind(latency).bind(cost == nil).run()
    }

    /// Does what every end of a job entails: removes its stream, tells its subscriptions, dependents and run and those in this process who
    /// wait for it, and, if it leaves no answer, promotes a follower to call in its place.
    func recordFinish(of job: Int64, _ state: JobState) throws(SQLFailure) {
        ends.append(JobEnd(job: job, state: state))
        try statement("DELETE FROM streams WHERE job_id = ?").bind(job).run()
        try noteFinished(.job, job)
        try tellDependents(of: job)
        try noteStepEnd(of: job)
        if state != .completed { try promoteFollowers(ofJob: job) }
    }
}
