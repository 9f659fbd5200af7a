import AgentQueueModel

extension ClaimStore {
    /// Returns the job's most recent reply that failed validation, and why it failed; nil if there was none or its text was not kept.
    package func lastInvalidReply(of id: Int64) throws -> (message: String, partial: String)? {
        try read { reader in
            try reader.statement(
                """
                SELECT message, partial FROM job_errors WHERE job_id = ? AND class = 'invalid_reply' AND partial IS NOT NULL
                ORDER BY id DESC LIMIT 1
                """
            ).bind(id).first { ($0.text(0), $0.text(1)) }
        }
    }
}

extension WriteTransaction {
    /// Rate limits give attempts back, so a job could collect any number of errors.
    private static let maxErrorsPerJob = 50

    /// Records an error for which no call was made.
    func addError(job: Int64, attempt: Int, _ failure: FailureClass, _ message: String) throws(SQLFailure) {
        try addError(job: job, JobError(attempt: attempt, at: now, failure: failure, message: message))
    }

    /// Records an error of a job or an attempt. Only the job's latest partial text is kept.
    func addError(job: Int64, _ error: JobError) throws(SQLFailure) {
        let partial = error.partialText.map { Self.cut($0, to: JobError.maxPartialBytes) }
        if partial != nil {
            try statement("UPDATE job_errors SET partial = NULL WHERE job_id = ? AND partial IS NOT NULL").bind(job).run()
        }
        try statement(
            """
            INSERT INTO job_errors (job_id, attempt, at, class, message, target, cost_usd, unpriced, partial, status, form, body,
                began_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, (SELECT attempted_at FROM jobs WHERE id = ?1))
            """
        )
        .bind(job).bind(error.attempt).bind(now).bind(error.failure.rawValue).bind(Self.cut(error.message, to: JobError.maxMessageBytes))
        .bind(error.target).bind(error.cost ?? 0).bind(error.cost == nil).bind(partial).bind(error.answer?.status)
        .bind(error.answer?.form?.rawValue).bind(error.answer.flatMap { $0.body.isEmpty ? nil : $0.body }).run()
        // Errors that cost something are kept, because budgets count them.
        try statement(
            """
            DELETE FROM job_errors WHERE job_id = ?1 AND cost_usd = 0 AND id <= (
                SELECT id FROM job_errors WHERE job_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
            """
        ).bind(job).bind(Self.maxErrorsPerJob).run()
    }

    private static func cut(_ text: String, to bytes: Int) -> String {
        text.utf8.count > bytes ? String(decoding: text.utf8.prefix(bytes), as: UTF8.self) + "…" : text
    }
}
