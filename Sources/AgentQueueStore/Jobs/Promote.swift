import AgentQueueModel

extension QueueStore {
    /// Makes due `scheduled` and `retryable` jobs available, one slice of each.
    /// - Returns: how many, and when the next one is due (wall clock, ms; nil if none waits for a time).
    package func promote(slice: Int = 500) async throws -> (promoted: Int, nextDue: Int64?) {
        if let due = try nextDue(), due <= clock.wall() {
            let promoted = try await write { try $0.promote(.scheduled, slice: slice) + $0.promote(.retryable, slice: slice) }
            return (promoted, try nextDue())
        }
        return (0, try nextDue())
    }

    /// When the next scheduled or retryable job is due; wall clock, ms.
    package func nextDue() throws -> Int64? { try duties().nextDue }

    /// Discards jobs that have not begun before their `expires_at`, one slice. Returns how many.
    package func expire(slice: Int = 200) async throws -> Int {
        let now = clock.wall()
        let isDue = try read { reader in
            try reader.statement(
                """
                SELECT 1 FROM jobs WHERE expires_at IS NOT NULL AND finalized_at IS NULL AND expires_at <= ? AND state <> 'running' LIMIT 1
                """
            ).bind(now).exists()
        }
        guard isDue else { return 0 }
        return try await write { try $0.expire(slice: slice) }
    }
}

extension WriteTransaction {
    func promote(_ state: JobState, slice: Int) throws -> Int {
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

    func expire(slice: Int) throws -> Int {
        let rows = try statement(
            """
            SELECT id, state, lane_id, batch_id FROM jobs WHERE expires_at IS NOT NULL AND finalized_at IS NULL AND expires_at <= ?
            AND state <> 'running' ORDER BY expires_at LIMIT ?
            """
        ).bind(now).bind(slice).all { ($0.int64(0), JobState(rawValue: $0.text(1)) ?? .available, $0.int64(2), $0.optionalInt64(3)) }
        for (id, state, lane, batch) in rows {
            try statement("UPDATE jobs SET state = 'discarded', finalized_at = ? WHERE id = ?").bind(now).bind(id).run()
            ledger.move(lane: lane, batch: batch, from: state, to: .discarded)
            if state == .pending { try giveUpBatch(of: id) }
            try addError(job: id, attempt: 0, .expired, "not begun before its expiry")
            if state == .pending { try unfollow(id) }
            try recordFinish(of: id, .discarded)
        }
        return rows.count
    }
}
