import JobModel

extension WriteTransaction {
    /// The most errors kept of one job: rate limits give their attempts back, so there could be any number.
    private static let maxErrorsPerJob = 50

    /// Notes why an attempt, or a job, ended without an answer.
    func addError(job: Int64, attempt: Int, _ failure: FailureClass, _ message: String) throws(SQLFailure) {
        var text = message
        if text.utf8.count > JobError.maxMessageBytes {
            text = String(decoding: text.utf8.prefix(JobError.maxMessageBytes), as: UTF8.self) + "…"
        }
        try statement("INSERT INTO job_errors (job_id, attempt, at, class, message) VALUES (?, ?, ?, ?, ?)")
            .bind(job).bind(attempt).bind(now).bind(failure.rawValue).bind(text).run()
        try statement(
            """
            DELETE FROM job_errors WHERE job_id = ?1 AND id <= (
                SELECT id FROM job_errors WHERE job_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
            """
        ).bind(job).bind(Self.maxErrorsPerJob).run()
    }
}
