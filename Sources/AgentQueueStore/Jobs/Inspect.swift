import AgentQueueModel
import Foundation
import GRDB

extension QueueStore {
    /// Everything about one job; nil where there is none.
    package func job(_ id: Int64) throws -> Job? {
        try readDatabase { database in try Job.fetch(database, ids: [id]).first }
    }

    /// A page of jobs, newest first.
    /// - Parameter before: only jobs with a smaller id; nil begins with the newest.
    package func jobs(_ filter: JobFilter, limit: Int, before: Int64? = nil) throws -> [Job] {
        try readDatabase { database in
            let query = try JobQuery(filter, in: database)
            return try Job.fetch(database, ids: query.ids(database, bound: "jobs.id < ?", before ?? .max, order: "DESC", limit: limit))
        }
    }

    /// A page of jobs, oldest first: those with a larger id than `after`. To walk any number in constant memory.
    package func jobs(_ filter: JobFilter, limit: Int, after: Int64) throws -> [Job] {
        try readDatabase { database in
            let query = try JobQuery(filter, in: database)
            return try Job.fetch(database, ids: query.ids(database, bound: "jobs.id > ?", after, order: "ASC", limit: limit))
        }
    }

    /// The ids of the jobs a filter means, in a range of ids, smallest first.
    func jobIDs(_ filter: JobFilter, after: Int64, through last: Int64, limit: Int) throws -> [Int64] {
        try readDatabase { database in
            try JobQuery(filter, in: database).ids(database, bound: "jobs.id > ?", after, order: "ASC", limit: limit).filter { $0 <= last }
        }
    }

    /// The states of jobs; those that do not exist are missing.
    package func states(of ids: [Int64]) throws -> [Int64: JobState] {
        try readDatabase { database in
            var states: [Int64: JobState] = [:]
            let statement = try database.cachedStatement(sql: "SELECT state FROM jobs WHERE id = ?")
            for id in ids {
                if let name = try String.fetchOne(statement, arguments: [id]) { states[id] = JobState(rawValue: name) }
            }
            return states
        }
    }

    /// How far a batch is; nil where there is none of that name.
    package func batch(named name: String) throws -> BatchProgress? {
        try readDatabase { database in
            try Row.fetchOne(database, sql: "SELECT jobs, completed, cancelled, discarded FROM batches WHERE name = ?", arguments: [name])
                .map { BatchProgress(jobs: $0[0], completed: $0[1], cancelled: $0[2], discarded: $0[3]) }
        }
    }

    /// The queues, with their jobs' counts.
    package func queues() throws -> [QueueSummary] {
        try readDatabase { database in
            let lanes = Dictionary(grouping: try LaneSummary.fetchAll(database), by: \.queue)
            return try Row.fetchAll(database, sql: "SELECT name, paused_at FROM queues ORDER BY name").map { row in
                QueueSummary(name: row[0], pausedAt: row[1], lanes: lanes[row[0]] ?? [])
            }
        }
    }

    /// The lanes, with their jobs' counts and what their answers cost.
    package func lanes() throws -> [LaneSummary] { try readDatabase { try LaneSummary.fetchAll($0) } }

    /// Whether a worker with these queues and providers still has something to wait for, or do, before its queues are
    /// drained: jobs available, retryable, running anywhere, or pending on such.
    /// - Parameter routes: what serves in place of what, as in ``CallPolicies``.
    package func isDrained(queues: Set<String>?, providers: Set<String>, routes: [String: Route] = [:]) throws -> Bool {
        try readDatabase { database in
            // What follows an identical job is pending on one that is available or running, perhaps in another lane.
            let isOpen = try Row.fetchAll(
                database,
                sql: """
                    SELECT queue, provider, target, kind FROM lanes JOIN queues ON queues.name = queue
                    WHERE paused_at IS NULL AND (available + running + retryable > 0
                    OR pending > 0 AND lanes.id IN (SELECT lane_id FROM followers))
                    """
            ).contains { (row: Row) in
                let isServed = CallPolicies(routes: routes).hasRoute(of: row[2], provider: row[1], kind: row[3], among: providers)
                return isServed && queues?.contains(row[0]) != false
            }
            if isOpen { return false }
            if try holdsBatches(queues: queues, providers: providers, routes: routes, database) { return false }
            // What waits on such a job would hold it too; with none of them left, what is pending waits on a scheduled job,
            // a paused or foreign lane, or on a cascade that has yet to be carried out.
            return try Bool.fetchOne(database, sql: "SELECT NOT EXISTS (SELECT 1 FROM cascades)") ?? true
        }
    }
}

/// A filter as SQL.
private struct JobQuery {
    private var conditions: [String] = []
    private var arguments: StatementArguments = []
    private var joins = ""
    private var isEmptySet = false

    init(_ filter: JobFilter, in database: Database) throws {
        if let queue = filter.queue { try restrictLanes("queue = ?", queue, database) }
        if let model = filter.model { try restrictLanes("target = ?", model, database) }
        if let batch = filter.batch {
            guard let id = try Int64.fetchOne(database, sql: "SELECT id FROM batches WHERE name = ?", arguments: [batch]) else {
                isEmptySet = true
                return
            }
            conditions.append("jobs.batch_id = ?")
            arguments += [id]
        }
        if let tag = filter.tag {
            joins = "JOIN job_tags ON job_tags.job_id = jobs.id AND job_tags.tag = ?"
            arguments = [tag] + arguments
        }
        if let since = filter.since {
            conditions.append("jobs.created_at >= ?")
            arguments += [since]
        }
        if let run = filter.run {
            conditions.append("jobs.run_id = ?")
            arguments += [run]
        }
        guard !filter.states.isEmpty, filter.states.count < JobState.allCases.count else { return }
        let names = filter.states.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        // Rare states are found by their index, and sorted; common ones by walking the ids.
        let counts = try Row.fetchOne(
            database, sql: "SELECT \(JobState.allCases.map { "coalesce(sum(\($0.rawValue)), 0)" }.joined(separator: ", ")) FROM lanes")
        let wanted = filter.states.reduce(0) { $0 + (counts?[$1.index] as Int? ?? 0) }
        if wanted < 5_000, filter.states.allSatisfy(\.isFinal), filter.tag == nil, filter.batch == nil, filter.run == nil {
            conditions.append("jobs.finalized_at IS NOT NULL AND jobs.state IN (\(names))")
        } else {
            conditions.append("+jobs.state IN (\(names))")
        }
    }

    private mutating func restrictLanes(_ condition: String, _ value: String, _ database: Database) throws {
        let lanes = try Int64.fetchAll(database, sql: "SELECT id FROM lanes WHERE \(condition)", arguments: [value])
        if lanes.isEmpty { isEmptySet = true }
        conditions.append("jobs.lane_id IN (\(lanes.map(String.init).joined(separator: ", ")))")
    }

    func ids(_ database: Database, bound: String, _ value: Int64, order: String, limit: Int) throws -> [Int64] {
        guard !isEmptySet else { return [] }
        let condition = (conditions + [bound]).joined(separator: " AND ")
        return try Int64.fetchAll(
            database, sql: "SELECT jobs.id FROM jobs \(joins) WHERE \(condition) ORDER BY jobs.id \(order) LIMIT \(limit)",
            arguments: arguments + [value])
    }
}

extension Job {
    /// Reads jobs with all that stands beside them, in the order of the ids.
    fileprivate static func fetch(_ database: Database, ids: [Int64]) throws -> [Job] {
        try ids.compactMap { id in
            guard
                let row = try Row.fetchOne(
                    database.cachedStatement(
                        sql: """
                            SELECT jobs.*, lanes.queue, lanes.target, lanes.kind, requests.body, requests.custom_id, requests.metadata,
                            batches.name AS batch, batches.budget_usd AS batch_budget, workers.pid, results.job_id AS result_id, results.reply, results.answered_by,
                            results.target AS result_target, results.input_tokens, results.output_tokens, results.cost_usd,
                            results.latency_ms, run_steps.path AS step
                            FROM jobs JOIN lanes ON lanes.id = jobs.lane_id JOIN requests ON requests.job_id = jobs.id
                            LEFT JOIN batches ON batches.id = jobs.batch_id LEFT JOIN workers ON workers.id = jobs.worker_id
                            LEFT JOIN results ON results.job_id = jobs.id LEFT JOIN run_steps ON run_steps.job_id = jobs.id WHERE jobs.id = ?
                            """), arguments: [id])
            else { return nil }
            var job = try Job(row)
            job.tags = try String.fetchAll(
                database.cachedStatement(sql: "SELECT tag FROM job_tags WHERE job_id = ? ORDER BY tag"), arguments: [id])
            job.after = try Int64.fetchAll(
                database.cachedStatement(sql: "SELECT depends_on FROM dependencies WHERE job_id = ? ORDER BY depends_on"), arguments: [id])
            job.errors = try Row.fetchAll(
                database.cachedStatement(
                    sql: "SELECT attempt, at, class, message, target, cost_usd, partial FROM job_errors WHERE job_id = ? ORDER BY id"),
                arguments: [id]
            ).map {
                JobError(
                    attempt: $0[0], at: $0[1], failure: FailureClass(rawValue: $0[2]) ?? .permanent, message: $0[3], target: $0[4],
                    cost: $0[5], partialText: $0[6])
            }
            return job
        }
    }

    private init(_ row: Row) throws {
        guard let state = JobState(rawValue: row["state"]), let kind = JobKind(rawValue: row["kind"]),
            let target = Target(row["target"] as String)
        else { throw StoreError(.corrupt, "job \(row["id"] as Int64) is damaged; run 'agent-queue database check'") }
        self.init(
            id: row["id"], kind: kind, queue: row["queue"], target: target, state: state, priority: row["priority"],
            attempt: row["attempt"], maxAttempts: row["max_attempts"], createdAt: row["created_at"], scheduledAt: row["scheduled_at"],
            request: try JSONValue.parse(row["body"] as String), useCache: row["use_cache"], digest: [UInt8](row["digest"] as Data))
        customID = row["custom_id"]
        attemptedAt = row["attempted_at"]
        finalizedAt = row["finalized_at"]
        expiresAt = row["expires_at"]
        cancelRequestedAt = row["cancel_requested_at"]
        timeout = row["timeout_ms"]
        cacheTimeToLive = row["cache_ttl_ms"]
        usesBatchAPI = row["batch_api"]
        deadline = row["deadline_at"]
        batch = row["batch"]
        budget = row["batch_budget"] ?? row["budget_usd"]
        uniqueKey = row["unique_key"]
        runID = row["run_id"]
        step = row["step"]
        if let text = row["metadata"] as String? { metadata = try JSONValue.parse(text) }
        if let id = row["worker_id"] as Int64? { worker = WorkerIdentity(id: id, pid: row["pid"] ?? 0) }
        if row["result_id"] as Int64? != nil {
            result = JobResult(
                reply: try JSONValue.parse(row["reply"] as String),
                usage: Usage(inputTokens: row["input_tokens"], outputTokens: row["output_tokens"]), cost: row["cost_usd"],
                answeredBy: AnsweredBy(rawValue: row["answered_by"]) ?? .provider, target: row["result_target"], latency: row["latency_ms"])
        }
    }
}

/// What a job that is `pending` waits for.
package enum JobWait: Sendable, Equatable {
    /// The answer to an identical job, which is running; nil where its call has just ended.
    case identicalJob(Int64?)
    /// The answers to a batch at the provider.
    case providerBatch(Int64, ProviderBatch.State)
    /// Other jobs, which have to complete first; the oldest of them.
    case jobs([Int64])
}

extension QueueStore {
    /// What a job waits for; nil where it is not pending, or nothing is known.
    package func wait(of job: Int64) throws -> JobWait? {
        try readDatabase { database in
            guard try String.fetchOne(database, sql: "SELECT state FROM jobs WHERE id = ?", arguments: [job]) == JobState.pending.rawValue
            else { return nil }
            let batch = try Row.fetchOne(
                database,
                sql: """
                    SELECT id, state FROM provider_batches
                    WHERE id = (SELECT batch_id FROM provider_batch_jobs WHERE job_id = ? AND is_given_up = 0)
                    """, arguments: [job])
            if let batch { return .providerBatch(batch[0], ProviderBatch.State(rawValue: batch[1]) ?? .submitted) }
            let follower = try Row.fetchOne(
                database,
                sql: """
                    SELECT (SELECT id FROM jobs WHERE jobs.digest = followers.digest AND state = 'running' AND use_cache = 1
                            ORDER BY id LIMIT 1) FROM followers WHERE job_id = ?
                    """, arguments: [job])
            if let follower { return .identicalJob(follower[0]) }
            let open = try Int64.fetchAll(
                database,
                sql: """
                    SELECT depends_on FROM dependencies JOIN jobs ON jobs.id = depends_on
                    WHERE job_id = ? AND finalized_at IS NULL ORDER BY depends_on LIMIT 10
                    """, arguments: [job])
            return open.isEmpty ? nil : .jobs(open)
        }
    }
}
