import AgentQueueModel

/// Transitions between the states in which a job waits, and from an end back into them.
extension WriteTransaction {
    /// scheduled or retryable → available: up to `slice` jobs that are due. Returns how many.
    func makeDueAvailable(_ state: JobState, slice: Int) throws(SQLFailure) -> Int {
        let lanes = try statement(
            """
            UPDATE jobs SET state = 'available' WHERE id IN (
                SELECT id FROM jobs INDEXED BY jobs_waiting WHERE state = ?1 AND state IN ('scheduled', 'retryable')
                AND scheduled_at <= ?2 ORDER BY scheduled_at LIMIT ?3) RETURNING lane_id
            """
        ).bind(state.rawValue).bind(now).bind(slice).all { $0.int64(0) }
        for lane in lanes { ledger.move(lane: lane, batch: nil, from: state, to: .available) }
        return lanes.count
    }

    /// scheduled or retryable → available: a job that a user wants to run now. The caller has just read its state in this transaction.
    func makeAvailable(_ id: Int64, from state: JobState, lane: Int64, batch: Int64?) throws(SQLFailure) {
        try statement("UPDATE jobs SET state = 'available', scheduled_at = ? WHERE id = ? AND +state = ?")
            .bind(now).bind(id).bind(state.rawValue).run()
        ledger.move(lane: lane, batch: batch, from: state, to: .available)
    }

    /// pending → available or scheduled: a job with no unmet dependencies.
    func releaseIfReady(_ job: Int64) throws(SQLFailure) {
        let row = try statement(
            """
            UPDATE jobs SET state = CASE WHEN scheduled_at > ?2 AND scheduled_at > created_at THEN 'scheduled' ELSE 'available' END
            WHERE id = ?1 AND +state = 'pending' AND NOT EXISTS (SELECT 1 FROM dependencies WHERE job_id = ?1 AND met = 0)
            RETURNING lane_id, batch_id, state, created_at, scheduled_at
            """
        ).bind(job).bind(now).first { row in
            (lane: row.int64(0), batch: row.optionalInt64(1), state: row.text(2), since: row.int64(3), due: row.int64(4))
        }
        guard let row, let state = JobState(rawValue: row.state) else { return }
        let (lane, batch) = (row.lane, row.batch)
        // A job that was retried waits from then on.
        try recordWait(
            of: job, from: row.due > now ? row.since : max(row.since, row.due), to: now, "dependency", "the jobs that it depends on")
        ledger.move(lane: lane, batch: batch, from: .pending, to: state)
    }

    /// pending → available: a follower whose leader left no answer.
    /// - Parameter rings: whether to wake the workers.
    func releaseFollower(_ id: Int64, lane: Int64, rings: Bool) throws(SQLFailure) {
        let batch = try statement("UPDATE jobs SET state = 'available' WHERE id = ? AND +state = 'pending' RETURNING batch_id")
            .bind(id).first { $0.optionalInt64(0) }
        guard let batch else { return }
        ledger.move(lane: lane, batch: batch, from: .pending, to: .available, rings: rings)
    }

    /// pending → available: a job that its provider batch returns without an answer. Returns whether it was still pending.
    func returnFromBatch(_ id: Int64, _ rest: ProviderBatch.Rest) throws(SQLFailure) -> Bool {
        let row = try statement(
            """
            UPDATE jobs SET state = 'available', scheduled_at = ?1,
            batch_api = CASE ?2 WHEN 'again' THEN batch_api WHEN 'suspect' THEN batch_api % 2 * 2 ELSE 0 END
            WHERE id = ?3 AND +state = 'pending' RETURNING lane_id, batch_id
            """
        ).bind(now).bind(rest.rawValue).bind(id).first { ($0.int64(0), $0.optionalInt64(1)) }
        guard let (lane, batch) = row else { return false }
        ledger.move(lane: lane, batch: batch, from: .pending, to: .available)
        return true
    }

    /// available → pending: a ready job that will share the answer of an identical job under way.
    func followInPlace(_ id: Int64, lane: Int64, batch: Int64?) throws(SQLFailure) {
        try statement("UPDATE jobs SET state = 'pending' WHERE id = ? AND +state = 'available'").bind(id).run()
        ledger.move(lane: lane, batch: batch, from: .available, to: .pending)
    }

    // MARK: Back from an end

    /// cancelled → pending: a job that was cancelled because of a dependency that has since been retried. Returns whether it was still
    /// cancelled.
    func restoreCancelled(_ id: Int64) throws(SQLFailure) -> Bool {
        let row = try statement(
            """
            UPDATE jobs SET state = 'pending', finalized_at = NULL, cancelled_through = NULL
            WHERE id = ? AND +state = 'cancelled' RETURNING lane_id, batch_id
            """
        ).bind(id).first { ($0.int64(0), $0.optionalInt64(1)) }
        guard let (lane, batch) = row else { return false }
        ledger.move(lane: lane, batch: batch, from: .cancelled, to: .pending)
        return true
    }

    /// A final state → pending: a job that a user retries or asks anew, with all its attempts. The caller has just read its state in this
    /// transaction.
    func beginAnew(_ id: Int64, from state: JobState, lane: Int64, batch: Int64?) throws(SQLFailure) {
        try statement(
            """
            UPDATE jobs SET state = 'pending', attempt = 0, crashes = 0, scheduled_at = ?1, finalized_at = NULL,
            cancel_requested_at = NULL, cancelled_through = NULL,
            expires_at = CASE WHEN expires_at > ?1 THEN expires_at END WHERE id = ?2 AND +state = ?3
            """
        ).bind(now).bind(id).bind(state.rawValue).run()
        ledger.move(lane: lane, batch: batch, from: state, to: .pending)
        if batch != nil { try reopenLine(of: id) }
    }
}
