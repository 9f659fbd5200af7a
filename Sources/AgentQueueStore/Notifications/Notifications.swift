import AgentQueueModel

extension NotificationStore {
    /// The notifications with deliveries that are due.
    package func dueTargets() throws -> [String] {
        let now = clock.wall()
        return try read { reader in
            // By the index from one name to the next: there may be many deliveries of one that hangs.
            var targets: [String] = []
            var last = ""
            while let next = try reader.statement("SELECT min(notification) FROM notices WHERE state = 'waiting' AND notification > ?")
                .bind(last).first({ $0.optionalText(0) }) ?? nil
            {
                let due =
                    try reader.statement("SELECT min(next_at) FROM notices WHERE state = 'waiting' AND notification = ?")
                    .bind(next).first { $0.optionalInt64(0) } ?? nil
                if let due, due <= now { targets.append(next) }
                last = next
            }
            return targets
        }
    }

    /// Claims due deliveries of a notification, so that no other process tries them until the lease expires. Each claim counts as an attempt.
    /// - Parameter lease: how long one delivery may take, in ms, before another process may try.
    package func claim(_ notification: String, limit: Int, lease: Int64) async throws -> [JobNotification] {
        try await write { transaction in
            let due = try transaction.statement(
                """
                SELECT id, kind, subject_id, body, attempts, created_at FROM notices
                WHERE state = 'waiting' AND notification = ? AND next_at <= ? ORDER BY next_at, id LIMIT ?
                """
            ).bind(notification).bind(transaction.now).bind(limit).all { row in
                JobNotification(
                    id: row.int64(0), kind: NotificationKind(rawValue: row.text(1)) ?? .job, subject: row.int64(2),
                    notification: notification, body: row.text(3), attempts: Int(row.int64(4)) + 1, nextAt: transaction.now + lease,
                    createdAt: row.int64(5))
            }
            for notice in due {
                try transaction.statement("UPDATE notices SET attempts = ?, next_at = ? WHERE id = ?")
                    .bind(notice.attempts).bind(notice.nextAt).bind(notice.id).run()
            }
            return due
        }
    }

    /// Records the outcome of an attempt, unless another process has begun one since, or the notification was removed.
    /// - Parameter retryAt: when to repeat a failed attempt (wall clock, ms); nil gives up.
    package func settle(_ notice: JobNotification, _ outcome: NotificationOutcome, retryAt: Int64?) async throws {
        try await write { try $0.settle(notice, outcome, retryAt: retryAt) }
    }

    /// When the next notification is due (wall clock, ms); nil if none is waiting.
    package func nextDue() throws -> Int64? {
        try read { reader in
            try reader.statement("SELECT min(next_at) FROM notices WHERE state = 'waiting'").first { $0.optionalInt64(0) } ?? nil
        }
    }

    /// Notifications, newest first.
    /// - Parameters:
    ///   - states: only notifications in these states; all if empty.
    ///   - before: only notifications with a smaller id.
    package func list(states: Set<JobNotification.State> = [], before: Int64? = nil, limit: Int) throws -> [JobNotification] {
        let wanted = states.isEmpty ? Set(JobNotification.State.allCases) : states
        return try read { reader in
            try reader.statement(
                """
                SELECT id, kind, subject_id, notification, body, attempts, next_at, created_at, state, ended_at, error FROM notices
                WHERE id < ?1 AND ((state = 'waiting' AND ?2 = 1) OR (state = 'delivered' AND ?3 = 1) OR (state = 'failed' AND ?4 = 1))
                ORDER BY id DESC LIMIT ?5
                """
            ).bind(before ?? .max).bind(wanted.contains(.waiting)).bind(wanted.contains(.delivered)).bind(wanted.contains(.failed))
                .bind(limit).all { row in
                    var notice = JobNotification(
                        id: row.int64(0), kind: NotificationKind(rawValue: row.text(1)) ?? .job, subject: row.int64(2),
                        notification: row.text(3), body: row.text(4), attempts: row.int(5), nextAt: row.int64(6), createdAt: row.int64(7))
                    notice.state = JobNotification.State(rawValue: row.text(8)) ?? .failed
                    notice.endedAt = row.optionalInt64(9)
                    notice.error = row.optionalText(10)
                    return notice
                }
        }
    }

    /// The number of deliveries that are due, or under way in a process.
    package func undeliveredCount() throws -> Int {
        try read { reader in
            try reader.statement("SELECT count(*) FROM notices WHERE state = 'waiting'").first { $0.int(0) } ?? 0
        }
    }

    /// The number of failed notifications that are still on record.
    package func failedCount() throws -> Int {
        try read { reader in
            try reader.statement("SELECT count(*) FROM notices WHERE ended_at IS NOT NULL AND state = 'failed'").first { $0.int(0) } ?? 0
        }
    }

    /// Retries notifications at once, counting attempts from the first: those that failed, and those that wait.
    /// - Parameter ids: the notifications to retry; nil retries all that failed.
    /// - Returns: how many.
    package func retry(_ ids: [Int64]? = nil) async throws -> Int {
        try await write { transaction in
            transaction.ledger.ringWork()
            guard let ids else {
                return try transaction.statement(
                    """
                    UPDATE notices SET state = 'waiting', attempts = 0, next_at = ?, ended_at = NULL
                    WHERE ended_at IS NOT NULL AND state = 'failed'
                    """
                ).bind(transaction.now).run()
            }
            return try ids.reduce(0) { count, id in
                try count
                    + transaction.statement(
                        "UPDATE notices SET state = 'waiting', attempts = 0, next_at = ?, ended_at = NULL WHERE id = ? AND +state <> 'delivered'"
                    ).bind(transaction.now).bind(id).run()
            }
        }
    }
}

extension WriteTransaction {
    func settle(_ notice: JobNotification, _ outcome: NotificationOutcome, retryAt: Int64?) throws(SQLFailure) {
        switch outcome {
        case .delivered: try end(notice, .delivered, error: nil)
        case .refused(let message): try end(notice, .failed, error: message)
        case .failed(let message, _), .unanswered(let message):
            guard let retryAt else { return try end(notice, .failed, error: message) }
            try statement("UPDATE notices SET next_at = ?, error = ? WHERE id = ? AND next_at = ? AND +state = 'waiting'")
                .bind(retryAt).bind(message).bind(notice.id).bind(notice.nextAt).run()
        case .broken:
            try statement(
                "UPDATE notices SET next_at = ?, attempts = attempts - 1 WHERE id = ? AND next_at = ? AND +state = 'waiting'"
            ).bind(now).bind(notice.id).bind(notice.nextAt).run()
        }
        ledger.ringWork()
    }

    private func end(_ notice: JobNotification, _ state: JobNotification.State, error: String?) throws(SQLFailure) {
        try statement("UPDATE notices SET state = ?, error = ?, ended_at = ? WHERE id = ? AND next_at = ? AND +state = 'waiting'")
            .bind(state.rawValue).bind(error).bind(now).bind(notice.id).bind(notice.nextAt).run()
    }

    /// Removes one slice of the notifications that ended before a time. Returns how many.
    func pruneNotifications(before: Int64, slice: Int) throws(SQLFailure) -> Int {
        try statement(
            "DELETE FROM notices WHERE id IN (SELECT id FROM notices WHERE ended_at IS NOT NULL AND ended_at <= ? LIMIT ?)"
        ).bind(before).bind(slice).run()
    }
}
