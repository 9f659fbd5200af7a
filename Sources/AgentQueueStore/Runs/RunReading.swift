import AgentQueueModel

extension RunStore {
    /// The most ends in one snapshot; the run handles the others afterwards.
    private static let endsAtOnce = 500

    /// Whether a run has too many calls to decide its next steps at the end of each one, because every decision examines all of them.
    package func hasManyCalls(run id: Int64) throws -> Bool {
        try read { reader in
            let count = try reader.statement("SELECT count(*) FROM (SELECT 1 FROM run_steps WHERE run_id = ? LIMIT ?) AS calls")
                .bind(id).bind(Self.manyCalls + 1).first { $0.int(0) }
            return (count ?? 0) > Self.manyCalls
        }
    }

    private static let manyCalls = 256

    /// A run with its calls and the ends it has not handled yet; nil if it does not exist.
    package func snapshot(_ id: Int64) throws -> RunSnapshot? {
        try read { try Self.snapshot(of: id, $0) }
    }

    private static func snapshot(of id: Int64, _ reader: ReadConnection) throws -> RunSnapshot? {
        let run = try reader.statement(
            """
            SELECT name, pipeline, definition, inputs, options, state, version FROM runs JOIN pipelines ON digest = pipeline
            WHERE id = ?
            """
        ).bind(id).first { row -> RunSnapshot in
            guard let state = RunState(rawValue: row.text(5)) else { throw damaged(id) }
            return RunSnapshot(
                id: id, name: row.text(0), digest: row.blob(1), definition: row.text(2), inputs: try JSONValue.parse(row.text(3)),
                options: try options(row.text(4), of: id), state: state, version: row.int64(6), steps: [:], ends: [])
        }
        guard var run else { return nil }
        try reader.statement("SELECT path, job_id, state, message FROM run_steps WHERE run_id = ?").bind(id).eachRow { row in
            let step = try StepRecord(row, of: id)
            run.steps[step.path] = step
        }
        run.ends = try ends(of: id, reader)
        return run
    }

    /// The ends that a run has not handled yet, in the order of its jobs.
    private static func ends(of run: Int64, _ reader: ReadConnection) throws -> [StepEnd] {
        try reader.statement(
            """
            SELECT path, run_ends.job_id, reply,
            (SELECT message FROM job_errors WHERE job_id = run_ends.job_id ORDER BY id DESC LIMIT 1)
            FROM run_ends JOIN run_steps ON run_steps.job_id = run_ends.job_id LEFT JOIN results ON results.job_id = run_ends.job_id
            WHERE run_ends.run_id = ? ORDER BY run_ends.job_id LIMIT ?
            """
        ).bind(run).bind(endsAtOnce).all { row in
            let outcome: StepEnd.Outcome =
                try row.optionalText(2).map { .completed(text: try text(of: $0)) }
                ?? .failed(message: row.optionalText(3) ?? "it ended without an answer")
            return StepEnd(path: row.text(0), jobID: row.int64(1), outcome: outcome)
        }
    }

    private static func text(of reply: String) throws -> String { try JSONValue.parse(reply)["text"]?.string ?? "" }

    private static func options(_ text: String, of run: Int64) throws(StoreError) -> RunOptions {
        do {
            return try RunOptions(stored: JSONValue.parse(text))
        } catch {
            throw StoreError(.corrupt, "run \(run) is damaged: \(error)")
        }
    }

    private static func damaged(_ run: Int64) -> StoreError {
        StoreError(.corrupt, "run \(run) is damaged")
    }

    /// The answers of completed calls of a run, by path.
    package func stepOutputs(of run: Int64, _ paths: [String]) throws -> [String: String] {
        try read { reader in
            let statement = try reader.statement(
                "SELECT reply FROM run_steps JOIN results ON results.job_id = run_steps.job_id WHERE run_id = ? AND path = ?")
            var texts: [String: String] = [:]
            for path in paths { texts[path] = try statement.bind(run).bind(path).first { try Self.text(of: $0.text(0)) } }
            return texts
        }
    }

    /// Runs, newest first.
    /// - Parameters:
    ///   - states: only runs in these states; all if empty.
    ///   - name: only runs of this pipeline or mode.
    ///   - before: only runs with a smaller id.
    package func list(states: [RunState] = [], name: String? = nil, before: Int64? = nil, limit: Int) throws -> [RunSummary] {
        try read { reader in
            let names = (states.isEmpty ? RunState.allCases : states).map { "'\($0.rawValue)'" }.joined(separator: ", ")
            let ids = try reader.statement(
                building: "SELECT id FROM runs WHERE id < ? AND name = coalesce(?, name) AND state IN (\(names)) ORDER BY id DESC LIMIT ?"
            ).bind(before ?? .max).bind(name).bind(limit).all { $0.int64(0) }
            return try ids.compactMap { try Self.summary(of: $0, reader) }
        }
    }

    private static func summary(of id: Int64, _ reader: ReadConnection) throws -> RunSummary? {
        let summary = try reader.statement(
            """
            SELECT name, state, created_at, finalized_at, reason,
            (SELECT count(*) FROM run_steps WHERE run_id = runs.id),
            (SELECT count(*) FROM run_steps WHERE run_id = runs.id AND state = 'completed'),
            (SELECT count(*) FROM run_steps WHERE run_id = runs.id AND state = 'failed')
            FROM runs WHERE id = ?
            """
        ).bind(id).first { row -> RunSummary in
            guard let state = RunState(rawValue: row.text(1)) else { throw damaged(id) }
            var summary = RunSummary(id: id, name: row.text(0), state: state, createdAt: row.int64(2))
            summary.finalizedAt = row.optionalInt64(3)
            summary.reason = row.optionalText(4)
            summary.begun = row.int(5)
            summary.completed = row.int(6)
            summary.failed = row.int(7)
            return summary
        }
        guard var summary else { return nil }
        try reader.statement(
            """
            SELECT coalesce(sum(CASE WHEN answered_by IN ('provider', 'fallback') THEN input_tokens END), 0),
            coalesce(sum(CASE WHEN answered_by IN ('provider', 'fallback') THEN output_tokens END), 0),
            coalesce(sum(results.cost_usd), 0.0), coalesce(sum((SELECT sum(cost_usd) FROM job_errors WHERE job_id = jobs.id)), 0.0),
            coalesce(sum(CASE WHEN answered_by IN ('provider', 'fallback') THEN 1 ELSE 0 END), 0),
            coalesce(sum(CASE WHEN answered_by IN ('provider', 'fallback')
                AND (unpriced = 1 OR unpriced IS NULL AND results.cost_usd = 0) THEN 1 ELSE 0 END), 0),
            coalesce(sum((SELECT sum(unpriced) FROM job_errors WHERE job_id = jobs.id)), 0)
            FROM jobs INDEXED BY jobs_run LEFT JOIN results ON job_id = jobs.id WHERE run_id = ?
            """
        ).bind(id).eachRow { row in
            summary.usage = Usage(inputTokens: row.int(0), outputTokens: row.int(1))
            summary.unpricedCalls = row.int(5) + row.int(6)
            summary.cost = Money.sum(row.double(2) + row.double(3), calls: row.int(4) + row.int(6), unpriced: summary.unpricedCalls)
        }
        return summary
    }

    /// All details of a run; nil if it does not exist.
    package func detail(_ id: Int64) throws -> RunDetail? {
        try read { reader in
            guard let summary = try Self.summary(of: id, reader), let snapshot = try Self.snapshot(of: id, reader) else { return nil }
            let output = try reader.statement("SELECT output FROM runs WHERE id = ? AND output IS NOT NULL").bind(id)
                .first { try JSONValue.parse($0.text(0)) }
            return RunDetail(summary: summary, snapshot: snapshot, output: output, calls: try Self.calls(of: id, reader))
        }
    }

    private static func calls(of run: Int64, _ reader: ReadConnection) throws -> [StepCallDetail] {
        try reader.statement(
            """
            SELECT path, run_steps.job_id, run_steps.state, message, jobs.state, coalesce(results.target, lanes.target), answered_by,
            attempt, jobs.created_at, attempted_at, finalized_at, coalesce(results.input_tokens, 0), coalesce(results.output_tokens, 0),
            coalesce(results.cost_usd, 0.0)
            + coalesce((SELECT sum(cost_usd) FROM job_errors WHERE job_id = run_steps.job_id), 0.0),
            CASE WHEN answered_by IN ('provider', 'fallback') AND (unpriced = 1 OR unpriced IS NULL AND results.cost_usd = 0)
                THEN 1 ELSE 0 END + coalesce((SELECT sum(unpriced) FROM job_errors WHERE job_id = run_steps.job_id), 0),
            (SELECT job_errors.message FROM job_errors WHERE job_id = run_steps.job_id ORDER BY id DESC LIMIT 1)
            FROM run_steps LEFT JOIN jobs ON jobs.id = run_steps.job_id LEFT JOIN lanes ON lanes.id = jobs.lane_id
            LEFT JOIN results ON results.job_id = run_steps.job_id
            WHERE run_steps.run_id = ? ORDER BY run_steps.job_id IS NULL, run_steps.job_id, path
            """
        ).bind(run).all { row in
            var call = StepCallDetail(record: try StepRecord(row, of: run))
            call.failure = call.record.message
            guard let state = row.optionalText(4) else { return call }
            call.jobState = JobState(rawValue: state)
            call.target = row.optionalText(5)
            call.answeredBy = row.optionalText(6).flatMap(AnsweredBy.init(rawValue:))
            call.attempts = row.int(7)
            call.createdAt = row.optionalInt64(8)
            call.attemptedAt = row.optionalInt64(9)
            call.finalizedAt = row.optionalInt64(10)
            call.usage = Usage(inputTokens: row.int(11), outputTokens: row.int(12))
            call.cost = row.int(14) > 0 && row.double(13) == 0 ? nil : row.double(13)
            call.failure = row.optionalText(15)
            return call
        }
    }

    /// The states of runs, by id; missing runs are omitted.
    package func states(of ids: [Int64]) throws -> [Int64: RunState] {
        try read { reader in
            let statement = try reader.statement("SELECT state FROM runs WHERE id = ?")
            var states: [Int64: RunState] = [:]
            for id in ids {
                if let name = try statement.bind(id).first({ $0.text(0) }) { states[id] = RunState(rawValue: name) }
            }
            return states
        }
    }
}

extension StepRecord {
    /// Reads the columns path, job_id, state and message.
    fileprivate init(_ row: Statement, of run: Int64) throws {
        guard let state = StepState(rawValue: row.text(2)) else {
            throw StoreError(.corrupt, "run \(run) is damaged")
        }
        self.init(path: row.text(0), jobID: row.optionalInt64(1), state: state, message: row.optionalText(3))
    }
}
