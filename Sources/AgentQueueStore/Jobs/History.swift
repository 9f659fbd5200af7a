import AgentQueueModel

/// What is kept of a job's past besides the job: what it waited for, when its failed attempts ran, and what was sent in its place.
package struct JobHistory: Sendable, Equatable {
    /// A wait that has ended.
    package struct Wait: Sendable, Equatable {
        /// `limit`, `pause`, `breaker`, `queue` or `dependency`.
        package var reason: String
        /// A clause.
        package var detail: String
        /// Wall clock, in milliseconds.
        package var beganAt: Int64
        package var endedAt: Int64

        /// Creates a wait.
        package init(reason: String, detail: String, beganAt: Int64, endedAt: Int64) {
            self.reason = reason
            self.detail = detail
            self.beganAt = beganAt
            self.endedAt = endedAt
        }
    }

    /// An attempt that failed.
    package struct FailedAttempt: Sendable, Equatable {
        package var attempt: Int
        /// Wall clock, in milliseconds; nil if it was recorded by a version that did not keep it.
        package var beganAt: Int64?
        package var endedAt: Int64
        package var failure: FailureClass
        package var target: String?

        /// Creates a failed attempt.
        package init(attempt: Int, beganAt: Int64?, endedAt: Int64, failure: FailureClass, target: String?) {
            self.attempt = attempt
            self.beganAt = beganAt
            self.endedAt = endedAt
            self.failure = failure
            self.target = target
        }
    }

    /// The answer that a job had before it was last asked anew.
    package struct ReplacedAnswer: Sendable, Equatable {
        package var attempt: Int
        /// Wall clock, in milliseconds; nil if it needed no call, or was recorded by a version that did not keep it.
        package var beganAt: Int64?
        package var endedAt: Int64?
        /// When the job was asked anew.
        package var replacedAt: Int64
        package var answeredBy: AnsweredBy
        package var target: String

        /// Creates one.
        package init(attempt: Int, beganAt: Int64?, endedAt: Int64?, replacedAt: Int64, answeredBy: AnsweredBy, target: String) {
            self.attempt = attempt
            self.beganAt = beganAt
            self.endedAt = endedAt
            self.replacedAt = replacedAt
            self.answeredBy = answeredBy
            self.target = target
        }
    }

    /// In the order in which they began.
    package var waits: [Wait] = []
    /// In the order in which they ended.
    package var failedAttempts: [FailedAttempt] = []
    /// Nil if it was never asked anew.
    package var replaced: ReplacedAnswer?
    /// The request that was sent, if it is not the job's own: memories were put into its prompt.
    package var sent: JSONValue?
    /// When a worker began to run last while no other did (wall clock, in milliseconds); nil if that is not known.
    package var workersSince: Int64?

    /// Creates an empty history.
    package init() {}
}

extension JobStore {
    /// Returns a job's history; an empty one if there is no such job.
    package func history(of id: Int64) throws -> JobHistory {
        try read { reader in
            var history = JobHistory()
            history.waits = try reader.statement(
                "SELECT reason, detail, began_at, ended_at FROM job_waits WHERE job_id = ? ORDER BY began_at, reason"
            ).bind(id).all { row in
                JobHistory.Wait(reason: row.text(0), detail: row.text(1), beganAt: row.int64(2), endedAt: row.int64(3))
            }
            history.failedAttempts = try reader.statement(
                "SELECT attempt, began_at, at, class, target FROM job_errors WHERE job_id = ? AND attempt > 0 ORDER BY id"
            ).bind(id).all { row in
                JobHistory.FailedAttempt(
                    attempt: row.int(0), beganAt: row.optionalInt64(1), endedAt: row.int64(2),
                    failure: FailureClass(rawValue: row.text(3)) ?? .permanent, target: row.optionalText(4))
            }
            history.replaced = try reader.statement(
                "SELECT attempt, began_at, ended_at, replaced_at, answered_by, target FROM replaced_results WHERE job_id = ?"
            ).bind(id).first { row in
                JobHistory.ReplacedAnswer(
                    attempt: Int(row.optionalInt64(0) ?? 1), beganAt: row.optionalInt64(1), endedAt: row.optionalInt64(2),
                    replacedAt: row.int64(3), answeredBy: AnsweredBy(rawValue: row.text(4)) ?? .provider, target: row.text(5))
            }
            history.sent = try reader.statement("SELECT body FROM sent_requests WHERE job_id = ?").bind(id)
                .first { try JSONValue.parse($0.text(0)) }
            history.workersSince = try reader.statement("SELECT value FROM counters WHERE name = 'workers_since'").first { $0.int64(0) }
            return history
        }
    }
}

extension WriteTransaction {
    /// Records the request that was sent in a job's place. Only that of its latest attempt is kept.
    func recordSent(_ body: String, of job: Int64) throws(SQLFailure) {
        try statement("INSERT INTO sent_requests (job_id, body) VALUES (?, ?) ON CONFLICT (job_id) DO UPDATE SET body = excluded.body")
            .bind(job).bind(body).run()
    }
}
