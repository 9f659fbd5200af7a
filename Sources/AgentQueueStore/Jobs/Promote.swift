import AgentQueueModel

extension MaintenanceStore {
    /// Makes due `scheduled` and `retryable` jobs available, at most `slice` of each.
    /// - Returns: how many, and when the next one is due (wall clock, in milliseconds; nil if none waits for a time).
    package func promote(slice: Int = 500) async throws -> (promoted: Int, nextDue: Int64?) {
        if let due = try nextDue(), due <= clock.wall() {
            let promoted = try await write {
                try $0.makeDueAvailable(.scheduled, slice: slice) + $0.makeDueAvailable(.retryable, slice: slice)
            }
            return (promoted, try nextDue())
        }
        return (0, try nextDue())
    }

    /// Returns when the next scheduled or retryable job is due (wall clock, in milliseconds).
    package func nextDue() throws -> Int64? { try pending().nextDue }

    /// Discards up to `slice` jobs that have not begun by their `expires_at`. Returns how many.
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
    func expire(slice: Int) throws -> Int {
        let rows = try statement(
            """
            SELECT id, state, lane_id, batch_id FROM jobs WHERE expires_at IS NOT NULL AND finalized_at IS NULL AND expires_at <= ?
            AND state <> 'running' ORDER BY expires_at LIMIT ?
            """
        ).bind(now).bind(slice).all { ($0.int64(0), JobState(rawValue: $0.text(1)) ?? .available, $0.int64(2), $0.optionalInt64(3)) }
        for (id, state, lane, batch) in rows {
            try endWaiting(id, from: state, to: .discarded, lane: lane, batch: batch)
            if state == .pending { try giveUpBatch(of: id) }
            try addError(job: id, attempt: 0, .expired, "not begun before its expiry")
            if state == .pending { try unfollow(id) }
            try recordFinish(of: id, .discarded)
        }
        return rows.count
    }
}
