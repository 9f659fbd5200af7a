import AgentQueueModel

/// What a client that waits for a job is told of it.
package struct JobOutcome: Sendable, Equatable {
    package var state: JobState
    /// The answer of a completed job.
    package var result: JobResult?
    /// Why a job ended without an answer, or its latest failed attempt.
    package var error: JobError?
    /// The number of the latest attempt; 0 if none has begun.
    package var attempt: Int
    /// When it was added (wall clock, in milliseconds).
    package var createdAt: Int64
    /// When its latest attempt began (wall clock, in milliseconds).
    package var attemptedAt: Int64?
    /// When it ended (wall clock, in milliseconds).
    package var finalizedAt: Int64?
}

extension GatewayStore {
    /// Returns the states of those of the jobs that have ended. A job that has been removed is left out.
    package func ended(among jobs: some Sequence<Int64>) throws -> [Int64: JobState] {
        try read { reader in
            var states: [Int64: JobState] = [:]
            try reader.statement(
                "SELECT id, state FROM jobs WHERE id IN (SELECT value FROM json_each(?)) AND finalized_at IS NOT NULL"
            ).bind(Self.list(jobs)).eachRow { states[$0.int64(0)] = JobState(rawValue: $0.text(1)) }
            return states
        }
    }

    /// Returns what has become of jobs, by id. A job that has been removed is left out.
    package func outcomes(of jobs: some Sequence<Int64>) throws -> [Int64: JobOutcome] {
        try read { try Self.outcomes(of: jobs, $0.statement(Self.outcomes)) }
    }

    fileprivate static func outcomes(of jobs: some Sequence<Int64>, _ statement: Statement) throws -> [Int64: JobOutcome] {
        var outcomes: [Int64: JobOutcome] = [:]
        try statement.bind(list(jobs)).eachRow { outcomes[$0.int64(0)] = try JobOutcome($0) }
        return outcomes
    }

    private static func list(_ ids: some Sequence<Int64>) -> String { "[\(ids.map(String.init).joined(separator: ","))]" }

    fileprivate static let outcomes = SQLText(
        """
        SELECT jobs.id, jobs.state, jobs.attempt, jobs.created_at, jobs.attempted_at, jobs.finalized_at,
        results.reply, results.input_tokens, results.output_tokens, results.cost_usd, results.answered_by, results.target,
        results.latency_ms, results.unpriced,
        job_errors.attempt, job_errors.at, job_errors.class, job_errors.message, job_errors.target, job_errors.cost_usd,
        job_errors.unpriced, job_errors.status, job_errors.form, job_errors.body
        FROM jobs LEFT JOIN results ON results.job_id = jobs.id
        LEFT JOIN job_errors ON jobs.state <> 'completed' AND job_errors.id = (
            SELECT id FROM job_errors WHERE job_id = jobs.id ORDER BY id DESC LIMIT 1)
        WHERE jobs.id IN (SELECT value FROM json_each(?))
        """)
}

extension WriteTransaction {
    /// The receipt with what became of the jobs, if all have ended.
    func completed(_ ticket: GatewayTicket) throws -> GatewayTicket {
        guard ticket.jobs.allSatisfy(\.state.isFinal) else { return ticket }
        var ticket = ticket
        let found = try GatewayStore.outcomes(of: ticket.jobs.map(\.id), statement(GatewayStore.outcomes))
        ticket.outcomes = ticket.jobs.compactMap { found[$0.id] }
        return ticket
    }
}

extension JobOutcome {
    fileprivate init(_ row: Statement) throws {
        guard let state = JobState(rawValue: row.text(1)) else { throw StoreError(.corrupt, "job \(row.int64(0)) is damaged") }
        self.init(
            state: state, attempt: row.int(2), createdAt: row.int64(3), attemptedAt: row.optionalInt64(4),
            finalizedAt: row.optionalInt64(5))
        if let reply = row.optionalText(6) {
            let answeredBy = AnsweredBy(rawValue: row.text(10)) ?? .provider
            result = JobResult(
                reply: try JSONValue.parse(reply), usage: Usage(inputTokens: row.int(7), outputTokens: row.int(8)),
                cost: answeredBy.isPaid ? row.cost(9, unpriced: 13) : row.double(9), answeredBy: answeredBy, target: row.text(11),
                latency: row.int64(12))
        }
        guard !row.isNull(16) else { return }
        var error = JobError(
            attempt: row.int(14), at: row.int64(15), failure: FailureClass(rawValue: row.text(16)) ?? .permanent, message: row.text(17),
            target: row.optionalText(18), cost: row.bool(20) ? nil : row.double(19))
        if let status = row.optionalInt64(21) {
            error.answer = ErrorAnswer(
                status: Int(status), form: row.optionalText(22).flatMap(RequestForm.init(rawValue:)), body: row.text(23))
        }
        self.error = error
    }
}
