import AgentQueueModel

extension NotificationStore {
    /// Has a batch's end told: when its last job has ended, which may be now. Returns false where there is no such batch.
    package func watch(batch name: String, tell notifications: [String]) async throws -> Bool {
        try await write { transaction in
            guard let id = try transaction.statement("SELECT id FROM batches WHERE name = ?").bind(name).first({ $0.int64(0) }) else {
                return false
            }
            try transaction.watch(.batch, id, tell: notifications)
            return true
        }
    }
}

extension WriteTransaction {
    /// Has the end of something told.
    /// - Parameter notifications: names of notifications of the configuration, checked.
    func watch(_ kind: NotificationKind, _ id: Int64, tell notifications: [String]) throws(SQLFailure) {
        for name in notifications {
            try statement("INSERT INTO watches (kind, subject_id, notification) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
                .bind(kind.rawValue).bind(id).bind(name).run()
            hasSubscriptions = true
        }
        // It may have ended in an earlier transaction.
        if kind == .batch, !notifications.isEmpty { ledger.look(atBatch: id) }
    }

    /// Whether anybody is to be told of anything: one look for a transaction, however much ends in it.
    private var isSubscribed: Bool {
        get throws(SQLFailure) {
            if let known = hasSubscriptions { return known }
            let found = try statement("SELECT 1 FROM watches LIMIT 1").first { _ in true } ?? false
            hasSubscriptions = found
            return found
        }
    }

    /// Something has ended: writes what those who watch it are to be told. The watch is then used up.
    func noteFinished(_ kind: NotificationKind, _ id: Int64) throws(SQLFailure) {
        guard try isSubscribed else { return }
        let watchers = try statement("DELETE FROM watches WHERE kind = ? AND subject_id = ? RETURNING notification")
            .bind(kind.rawValue).bind(id).all { $0.text(0) }
        guard !watchers.isEmpty else { return }
        let body = try body(of: kind, id).text
        for name in watchers.sorted() {
            try statement(
                """
                INSERT INTO notices (kind, subject_id, notification, body, state, next_at, created_at) VALUES (?, ?, ?, ?, 'waiting', ?, ?)
                """
            ).bind(kind.rawValue).bind(id).bind(name).bind(body).bind(now).bind(now).run()
        }
        ledger.ringWork()
    }

    /// Tells of batches that a transaction's changes have ended.
    /// - Parameter batches: those whose counts have changed, as they now stand.
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

    /// Nobody is to be told of a job any more: it is deleted.
    func unwatch(job id: Int64) throws(SQLFailure) {
        guard try isSubscribed else { return }
        try statement("DELETE FROM watches WHERE kind = 'job' AND subject_id = ?").bind(id).run()
    }
}
