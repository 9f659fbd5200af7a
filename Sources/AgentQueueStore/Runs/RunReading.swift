import AgentQueueModel
import Foundation
import GRDB

extension QueueStore {
    /// The most ends that one snapshot has: the run is told of the others thereafter.
    private static let endsAtOnce = 500

    /// Whether a run has more calls than what it does next should be decided for at each one's end: deciding looks at all of them.
    package func hasManyCalls(run id: Int64) throws -> Bool {
        try readDatabase { database in
            let count = try Int.fetchOne(
                database.cachedStatement(sql: "SELECT count(*) FROM (SELECT 1 FROM run_steps WHERE run_id = ? LIMIT ?)"),
                arguments: [id, Self.manyCalls + 1])
            return (count ?? 0) > Self.manyCalls
        }
    }

    private static let manyCalls = 256

    /// A run with its calls and with the ends it has not been told; nil where there is none.
    package func runSnapshot(_ id: Int64) throws -> RunSnapshot? {
        try readDatabase { try Self.snapshot(of: id, $0) }
    }

    private static func snapshot(of id: Int64, _ database: Database) throws -> RunSnapshot? {
        let row = try Row.fetchOne(
            database.cachedStatement(
                sql: """
                    SELECT name, pipeline, definition, inputs, options, state, version FROM runs JOIN pipelines ON digest = pipeline
                    WHERE id = ?
                    """), arguments: [id])
        guard let row else { return nil }
        guard let state = RunState(rawValue: row[5]) else { throw damaged(id) }
        var steps: [String: StepRecord] = [:]
        let records = try Row.fetchCursor(
            database.cachedStatement(sql: "SELECT path, job_id, state, message FROM run_steps WHERE run_id = ?"), arguments: [id])
        while let record = try records.next() {
            let step = try StepRecord(record, of: id)
            steps[step.path] = step
        }
        return RunSnapshot(
            id: id, name: row[0], digest: [UInt8](row[1] as Data), definition: row[2], inputs: try JSONValue.parse(row[3] as String),
            options: try JSONValue.parse(row[4] as String), state: state, version: row[6], steps: steps, ends: try ends(of: id, database))
    }

    /// What a run has yet to be told, in the order of its jobs.
    private static func ends(of run: Int64, _ database: Database) throws -> [StepEnd] {
        let rows = try Row.fetchAll(
            database.cachedStatement(
                sql: """
                    SELECT path, run_ends.job_id, reply,
                    (SELECT message FROM job_errors WHERE job_id = run_ends.job_id ORDER BY id DESC LIMIT 1)
                    FROM run_ends JOIN run_steps ON run_steps.job_id = run_ends.job_id LEFT JOIN results ON results.job_id = run_ends.job_id
                    WHERE run_ends.run_id = ? ORDER BY run_ends.job_id LIMIT ?
                    """), arguments: [run, endsAtOnce])
        return try rows.map { row in
            let outcome: StepEnd.Outcome =
                try (row[2] as String?).map { .completed(text: try text(of: $0)) }
                ?? .failed(message: row[3] ?? "it ended without an answer")
            return StepEnd(path: row[0], jobID: row[1], outcome: outcome)
        }
    }

    private static func text(of reply: String) throws -> String { try JSONValue.parse(reply)["text"]?.string ?? "" }

    private static func damaged(_ run: Int64) -> StoreError {
        StoreError(.corrupt, "run \(run) is damaged; run 'agent-queue database check'")
    }

    /// The texts that completed calls of a run were answered with, by path.
    package func stepOutputs(of run: Int64, _ paths: [String]) throws -> [String: String] {
        try readDatabase { database in
            let statement = try database.cachedStatement(
                sql: "SELECT reply FROM run_steps JOIN results ON results.job_id = run_steps.job_id WHERE run_id = ? AND path = ?")
            var texts: [String: String] = [:]
            for path in paths {
                guard let reply = try String.fetchOne(statement, arguments: [run, path]) else { continue }
                texts[path] = try Self.text(of: reply)
            }
            return texts
        }
    }

    /// Runs, newest first.
    /// - Parameters:
    ///   - states: those of these states; all where it is empty.
    ///   - name: those of this pipeline or mode.
    ///   - before: those with a smaller id.
    package func runs(states: [RunState] = [], name: String? = nil, before: Int64? = nil, limit: Int) throws -> [RunSummary] {
        try readDatabase { database in
            let names = states.isEmpty ? RunState.allCases : states
            let ids = try Int64.fetchAll(
                database.cachedStatement(
                    sql: """
                        SELECT id FROM runs WHERE id < ?1 AND (?2 IS NULL OR name = ?2)
                        AND state IN (SELECT value FROM json_each(?3)) ORDER BY id DESC LIMIT ?4
                        """),
                arguments: [before ?? .max, name, JSONValue.array(names.map { .string($0.rawValue) }).text, limit])
            return try ids.compactMap { try Self.summary(of: $0, database) }
        }
    }

    private static func summary(of id: Int64, _ database: Database) throws -> RunSummary? {
        let row = try Row.fetchOne(
            database.cachedStatement(
                sql: """
                    SELECT name, state, created_at, finalized_at, reason,
                    (SELECT count(*) FROM run_steps WHERE run_id = runs.id),
                    (SELECT count(*) FROM run_steps WHERE run_id = runs.id AND state = 'completed'),
                    (SELECT count(*) FROM run_steps WHERE run_id = runs.id AND state = 'failed')
                    FROM runs WHERE id = ?
                    """), arguments: [id])
        guard let row else { return nil }
        guard let state = RunState(rawValue: row[1]) else { throw damaged(id) }
        var summary = RunSummary(id: id, name: row[0], state: state, createdAt: row[2])
        summary.finalizedAt = row[3]
        summary.reason = row[4]
        summary.begun = row[5]
        summary.completed = row[6]
        summary.failed = row[7]
        let money = try Row.fetchOne(
            database.cachedStatement(
                sql: """
                    SELECT coalesce(sum(CASE WHEN answered_by IN ('provider', 'fallback') THEN input_tokens END), 0),
                    coalesce(sum(CASE WHEN answered_by IN ('provider', 'fallback') THEN output_tokens END), 0),
                    coalesce(sum(results.cost_usd), 0.0),
                    coalesce(sum((SELECT sum(cost_usd) FROM job_errors WHERE job_id = jobs.id)), 0.0)
                    FROM jobs INDEXED BY jobs_run LEFT JOIN results ON job_id = jobs.id WHERE run_id = ?
                    """), arguments: [id])
        if let money {
            summary.usage = Usage(inputTokens: money[0], outputTokens: money[1])
            summary.cost = (money[2] as Double) + (money[3] as Double)
        }
        return summary
    }

    /// Everything about a run; nil where there is none.
    package func runDetail(_ id: Int64) throws -> RunDetail? {
        try readDatabase { database in
            guard let summary = try Self.summary(of: id, database), let snapshot = try Self.snapshot(of: id, database) else { return nil }
            let output = try String.fetchOne(database.cachedStatement(sql: "SELECT output FROM runs WHERE id = ?"), arguments: [id])
            return RunDetail(
                summary: summary, snapshot: snapshot, output: try output.map { try JSONValue.parse($0) },
                calls: try Self.calls(of: id, database))
        }
    }

    private static func calls(of run: Int64, _ database: Database) throws -> [StepCallDetail] {
        let rows = try Row.fetchAll(
            database.cachedStatement(
                sql: """
                    SELECT path, run_steps.job_id, run_steps.state, message, jobs.state, coalesce(results.target, lanes.target), answered_by,
                    attempt, jobs.created_at, attempted_at, finalized_at, coalesce(results.input_tokens, 0), coalesce(results.output_tokens, 0),
                    coalesce(results.cost_usd, 0.0)
                    + coalesce((SELECT sum(cost_usd) FROM job_errors WHERE job_id = run_steps.job_id), 0.0),
                    (SELECT job_errors.message FROM job_errors WHERE job_id = run_steps.job_id ORDER BY id DESC LIMIT 1)
                    FROM run_steps LEFT JOIN jobs ON jobs.id = run_steps.job_id LEFT JOIN lanes ON lanes.id = jobs.lane_id
                    LEFT JOIN results ON results.job_id = run_steps.job_id
                    WHERE run_steps.run_id = ? ORDER BY run_steps.job_id IS NULL, run_steps.job_id, path
                    """), arguments: [run])
        return try rows.map { row in
            var call = StepCallDetail(record: try StepRecord(row, of: run))
            call.failure = call.record.message
            guard let state = row[4] as String? else { return call }
            call.jobState = JobState(rawValue: state)
            call.target = row[5]
            call.answeredBy = (row[6] as String?).flatMap(AnsweredBy.init(rawValue:))
            call.attempts = row[7]
            call.createdAt = row[8]
            call.attemptedAt = row[9]
            call.finalizedAt = row[10]
            call.usage = Usage(inputTokens: row[11], outputTokens: row[12])
            call.cost = row[13]
            call.failure = row[14]
            return call
        }
    }

    /// How runs stand, by id; those that are not there are left out.
    package func runStates(of ids: [Int64]) throws -> [Int64: RunState] {
        try readDatabase { database in
            let statement = try database.cachedStatement(sql: "SELECT state FROM runs WHERE id = ?")
            var states: [Int64: RunState] = [:]
            for id in ids {
                if let name = try String.fetchOne(statement, arguments: [id]) { states[id] = RunState(rawValue: name) }
            }
            return states
        }
    }
}

extension StepRecord {
    /// Reads the columns path, job_id, state and message.
    fileprivate init(_ row: Row, of run: Int64) throws {
        guard let state = StepState(rawValue: row[2]) else {
            throw StoreError(.corrupt, "run \(run) is damaged; run 'agent-queue database check'")
        }
        self.init(path: row[0], jobID: row[1], state: state, message: row[3])
    }
}
