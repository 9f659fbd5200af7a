import AgentQueueModel

extension NotificationStore {
    /// Subscribes to the end of a batch, when its last job ends, which may already have happened. Returns false if the batch does not
    /// exist.
    /// - Parameter onFailure: notifications to send only if one of its jobs has failed.
    package func watch(batch name: String, tell notifications: [String], onFailure: [String] = []) async throws -> Bool {
        try await write { transaction in
            guard let id = try transaction.statement("SELECT id FROM batches WHERE name = ?").bind(name).first({ $0.int64(0) }) else {
                return false
            }
            try transaction.watch(.batch, id, tell: notifications, onFailure: onFailure)
            return true
        }
    }
}

extension WriteTransaction {
    /// Subscribes to the end of a job, batch or run.
    /// - Parameters:
    ///   - notifications: names of configured notifications, already checked.
    ///   - onFailure: names of those to send only if the subject fails.
    func watch(
        _ kind: NotificationKind, _ id: Int64, tell notifications: [String], onFailure: [String] = []
    ) throws(SQLFailure) {
        for (names, failuresOnly) in [(notifications, false), (onFailure, true)] {
            for name in names {
                // A notification that is asked for both ways is sent either way.
                try statement(
                    """
                    INSERT INTO watches (kind, subject_id, notification, failures_only) VALUES (?, ?, ?, ?)
                    ON CONFLICT (kind, subject_id, notification)
                    DO UPDATE SET failures_only = watches.failures_only * excluded.failures_only
                    """
                ).bind(kind.rawValue).bind(id).bind(name).bind(failuresOnly).run()
                hasSubscriptions = true
            }
        }
        // The batch may have ended in an earlier transaction.
        if kind == .batch, !notifications.isEmpty || !onFailure.isEmpty { ledger.look(atBatch: id) }
    }

    /// Whether any subscription exists. Queried once per transaction, however much ends in it.
    private var isSubscribed: Bool {
        get throws(SQLFailure) {
            if let known = hasSubscriptions { return known }
            let found = try statement("SELECT 1 FROM watches LIMIT 1").first { _ in true } ?? false
            hasSubscriptions = found
            return found
        }
    }

    /// Queues the notifications for something that has ended, and removes its subscriptions.
    func noteFinished(_ kind: NotificationKind, _ id: Int64) throws(SQLFailure) {
        guard try isSubscribed else { return }
        let watchers = try statement("DELETE FROM watches WHERE kind = ? AND subject_id = ? RETURNING notification, failures_only")
            .bind(kind.rawValue).bind(id).all { (name: $0.text(0), failuresOnly: $0.int(1) != 0) }
        guard !watchers.isEmpty else { return }
        let content = try body(of: kind, id)
        let hasFailed = Self.hasFailed(kind, content)
        let names = watchers.filter { hasFailed || !$0.failuresOnly }.map(\.name)
        guard !names.isEmpty else { return }
        let body = content.text
        for name in names.sorted() {
            try statement(
                """
                INSERT INTO notices (kind, subject_id, notification, body, state, next_at, created_at) VALUES (?, ?, ?, ?, 'waiting', ?, ?)
                """
            ).bind(kind.rawValue).bind(id).bind(name).bind(body).bind(now).bind(now).run()
        }
        ledger.ringWork()
    }

    /// Whether something that has ended failed: a job or a run by its state, a batch if one of its jobs did. What was cancelled did not.
    private static func hasFailed(_ kind: NotificationKind, _ body: JSONValue) -> Bool {
        switch kind {
        case .job: body["state"]?.string == JobState.discarded.rawValue
        case .run: body["state"]?.string == RunState.failed.rawValue
        case .batch: body["discarded"]?.int != 0
        }
    }

    /// Queues notifications for batches that a transaction's changes have ended.
    /// - Parameter batches: those whose counts have changed, which must already be written.
    func noteFinished(batches: some Sequence<Int64>) throws(SQLFailure) {
        guard try isSubscribed else { return }
        for id in batches {
            let isOver =
                try statement(
                    "SELECT 1 FROM batches WHERE id = ? AND jobs > 0 AND jobs = completed + cancelled + discarded"
                ).bind(id).first { _ in true } ?? false
            if isOver { try noteFinished(.batch, id) }
        }
    }

    /// Removes the subscriptions to a job that is being deleted.
    func unwatch(job id: Int64) throws(SQLFailure) {
        guard try isSubscribed else { return }
        try statement("DELETE FROM watches WHERE kind = 'job' AND subject_id = ?").bind(id).run()
    }
}
