import AgentQueueModel

/// How a request of a client's batch has ended.
package enum LineOutcome: String, Sendable, CaseIterable {
    /// The model answered, if only to decline.
    case succeeded
    case failed
    case cancelled
    /// It had not begun when the batch's window was over.
    case expired
}

/// A request of a client's batch that has ended.
package struct EndedLine: Sendable, Equatable {
    /// From 1, in the order of the input; rises, but not always by one.
    package var line: Int64
    package var customID: String
    package var outcome: LineOutcome
    /// Rises in the order in which the batch's requests ended.
    package var mark: Int64
    /// Its job; nil if it never became one.
    package var job: Int64?
    /// What is wrong with a request that never became a job, as it was given to ``NewLine``.
    package var error: JSONValue?
}

extension ClientBatchStore {
    /// Returns requests of a batch that have ended, in the order of their ends. A request is there once, unless someone retries its job:
    /// then again at its next end.
    /// - Parameter mark: only those beyond this ``EndedLine/mark``; 0 begins with the first.
    package func ended(_ batch: Int64, after mark: Int64, limit: Int) throws -> [EndedLine] {
        try read { reader in
            try reader.statement(
                """
                SELECT line, custom_id, outcome, ended, job_id, error FROM client_lines WHERE client_batch = ? AND ended > ?
                ORDER BY ended LIMIT ?
                """
            ).bind(batch).bind(mark).bind(limit).all { try EndedLine($0) }
        }
    }
}

extension EndedLine {
    init(_ row: Statement) throws {
        self.init(
            line: row.int64(0), customID: row.text(1), outcome: LineOutcome(rawValue: row.text(2)) ?? .failed, mark: row.int64(3),
            job: row.optionalInt64(4), error: try row.optionalText(5).map { try JSONValue.parse($0) })
    }
}

extension LineOutcome {
    /// - Parameter failure: the class of the job's last error.
    fileprivate init(_ state: JobState, _ failure: FailureClass?) {
        switch (state, failure) {
        case (.completed, _), (.discarded, .refused): self = .succeeded
        case (.cancelled, _): self = .cancelled
        case (.discarded, .expired): self = .expired
        default: self = .failed
        }
    }
}

/// How many requests of a batch have ended, by how.
struct LineEnds {
    private var counts: [LineOutcome: Int] = [:]

    mutating func count(_ outcome: LineOutcome, by number: Int = 1) { counts[outcome, default: 0] += number }

    subscript(_ outcome: LineOutcome) -> Int { counts[outcome] ?? 0 }
    var total: Int { counts.values.reduce(0, +) }
}

extension WriteTransaction {
    /// Records that requests of clients' batches have ended with the transaction.
    /// - Parameter batches: the batches whose counts the transaction has changed. For others nothing is looked up.
    func noteLineEnds(in batches: some Sequence<Int64>) throws(SQLFailure) {
        guard !ends.isEmpty else { return }
        var isClients = false
        for id in batches {
            isClients =
                try statement("SELECT 1 FROM client_batches WHERE batch_id = ? AND batch_id IS NOT NULL").bind(id).exists() || isClients
        }
        guard isClients else { return }
        var lines: [Int64: [(line: Int64, outcome: LineOutcome)]] = [:]
        for end in ends {
            let line = try statement(
                """
                SELECT client_batch, line, state, CASE WHEN state = 'discarded'
                    THEN (SELECT class FROM job_errors WHERE job_errors.job_id = jobs.id ORDER BY job_errors.id DESC LIMIT 1) END
                FROM client_lines CROSS JOIN jobs ON jobs.id = client_lines.job_id
                WHERE client_lines.job_id = ? AND client_lines.job_id IS NOT NULL AND ended IS NULL AND finalized_at IS NOT NULL
                """
            ).bind(end.job).first { row in
                let failure = row.optionalText(3).flatMap(FailureClass.init(rawValue:))
                return (
                    batch: row.int64(0), line: row.int64(1), outcome: LineOutcome(JobState(rawValue: row.text(2)) ?? .discarded, failure)
                )
            }
            guard let line, lines[line.batch]?.contains(where: { $0.line == line.line }) != true else { continue }
            lines[line.batch, default: []].append((line.line, line.outcome))
        }
        for (batch, ended) in lines {
            var counts = LineEnds()
            for one in ended { counts.count(one.outcome) }
            var mark = try count(counts, inClientBatch: batch)
            for one in ended {
                mark += 1
                try statement("UPDATE client_lines SET ended = ?, outcome = ? WHERE client_batch = ? AND line = ?")
                    .bind(mark).bind(one.outcome.rawValue).bind(batch).bind(one.line).run()
            }
        }
    }

    /// Counts ends of a batch's requests. Returns the number of ends before.
    func count(_ ends: LineEnds, inClientBatch batch: Int64) throws(SQLFailure) -> Int64 {
        let before = try statement("SELECT ends FROM client_batches WHERE id = ?").bind(batch).number() ?? 0
        try statement(
            """
            UPDATE client_batches SET ends = ends + ?, succeeded = succeeded + ?, failed = failed + ?, cancelled = cancelled + ?,
            expired = expired + ? WHERE id = ?
            """
        ).bind(ends.total).bind(ends[.succeeded]).bind(ends[.failed]).bind(ends[.cancelled]).bind(ends[.expired]).bind(batch).run()
        return before
    }

    /// Opens a request of a batch again whose job begins anew, unless the batch's files are being written or have been.
    func reopenLine(of job: Int64) throws(SQLFailure) {
        let line = try statement(
            """
            SELECT client_batch, outcome FROM client_lines CROSS JOIN client_batches ON client_batches.id = client_batch
            WHERE job_id = ? AND job_id IS NOT NULL AND outcome IS NOT NULL AND finalizing_at IS NULL AND ended_at IS NULL
            """
        ).bind(job).first { (batch: $0.int64(0), outcome: LineOutcome(rawValue: $0.text(1)) ?? .failed) }
        guard let line else { return }
        try statement("UPDATE client_lines SET ended = NULL, outcome = NULL WHERE job_id = ? AND job_id IS NOT NULL").bind(job).run()
        func one(_ outcome: LineOutcome) -> Int { line.outcome == outcome ? 1 : 0 }
        try statement(
            """
            UPDATE client_batches SET succeeded = succeeded - ?, failed = failed - ?, cancelled = cancelled - ?, expired = expired - ?
            WHERE id = ?
            """
        ).bind(one(.succeeded)).bind(one(.failed)).bind(one(.cancelled)).bind(one(.expired)).bind(line.batch).run()
    }

    /// Whether a batch of jobs is a client's that has not ended: its jobs are needed for its files.
    func isHeldForClient(_ batch: Int64) throws(SQLFailure) -> Bool {
        try statement("SELECT 1 FROM client_batches WHERE batch_id = ? AND batch_id IS NOT NULL AND ended_at IS NULL").bind(batch).exists()
    }
}
