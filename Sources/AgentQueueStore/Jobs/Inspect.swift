import AgentQueueModel

extension JobStore {
    /// Returns everything known about a job; nil if it does not exist.
    package func get(_ id: Int64) throws -> Job? {
        try read { reader in try Job.fetch(reader, ids: [id]).first }
    }

    /// Returns the states of jobs; ids that do not exist are left out.
    package func states(of ids: [Int64]) throws -> [Int64: JobState] {
        try read { reader in
            var states: [Int64: JobState] = [:]
            for id in ids {
                let name = try reader.statement("SELECT state FROM jobs WHERE id = ?").bind(id).first { $0.text(0) }
                if let name { states[id] = JobState(rawValue: name) }
            }
            return states
        }
    }

    /// Returns the progress of a batch; nil if no batch has that name.
    package func batch(named name: String) throws -> BatchProgress? {
        try read { reader in
            try reader.statement("SELECT jobs, completed, cancelled, discarded FROM batches WHERE name = ?").bind(name).first {
                BatchProgress(jobs: $0.int(0), completed: $0.int(1), cancelled: $0.int(2), discarded: $0.int(3))
            }
        }
    }

    /// Returns the queues with their job counts.
    package func queues() throws -> [QueueSummary] {
        try read { reader in
            let lanes = Dictionary(grouping: try LaneSummary.fetchAll(reader), by: { ExactText($0.queue) })
            return try reader.statement("SELECT name, paused_at FROM queues ORDER BY name").all { row in
                QueueSummary(name: row.text(0), pausedAt: row.optionalInt64(1), lanes: lanes[ExactText(row.text(0))] ?? [])
            }
        }
    }

    /// Returns the lanes with their job counts and the cost of their answers.
    package func lanes() throws -> [LaneSummary] { try read { try LaneSummary.fetchAll($0) } }
}

extension ClaimStore {
    /// Returns whether a worker with these queues and providers has nothing left to do or wait for: no jobs that are available, retryable
    /// or running anywhere, and none pending on such jobs.
    /// - Parameter routes: the fallback routes, as in ``CallPolicies``.
    package func isDrained(queues: Set<String>?, providers: Set<String>, routes: [String: Route] = [:]) throws -> Bool {
        let policies = CallPolicies(routes: routes)
        return try read { reader in
            // A follower is pending on a job that is available or running, perhaps in another lane.
            let isOpen = try reader.statement(
                """
                SELECT queue, provider, target, kind FROM lanes JOIN queues ON queues.name = queue
                WHERE paused_at IS NULL AND (available + running + retryable > 0
                OR pending > 0 AND lanes.id IN (SELECT lane_id FROM followers))
                """
            ).all { row in
                queues?.containsExactly(row.text(0)) != false
                    && policies.hasRoute(of: row.text(2), provider: row.text(1), kind: row.text(3), among: providers)
            }.contains(true)
            if isOpen { return false }
            if try store.providerBatches.holdsBatches(queues: queues, providers: providers, routes: routes, reader) { return false }
            // Jobs pending on open jobs need no check: the open jobs would have been found above. The other pending jobs wait for a
            // scheduled job, for a paused or foreign lane, or for a cascade that has not been carried out yet.
            return try !reader.statement("SELECT 1 FROM cascades LIMIT 1").exists()
        }
    }
}

extension ClaimStore {
    /// The ready jobs in a worker's queues that it cannot call, by provider: neither the provider of their target nor that of a fallback is
    /// among its own. Paused queues are left out.
    /// - Parameter routes: the fallback routes, as in ``CallPolicies``.
    package func unserved(
        queues: Set<String>?, providers: Set<String>, routes: [String: Route] = [:]
    ) throws -> [(provider: String, jobs: Int)] {
        let policies = CallPolicies(routes: routes)
        let lanes = try read { reader in
            try reader.statement(
                """
                SELECT queue, provider, target, kind, available + retryable FROM lanes JOIN queues ON queues.name = queue
                WHERE paused_at IS NULL AND available + retryable > 0
                """
            ).all { (queue: $0.text(0), provider: $0.text(1), target: $0.text(2), kind: $0.text(3), jobs: $0.int(4)) }
        }
        var counts: [String: Int] = [:]
        for lane in lanes where queues?.containsExactly(lane.queue) != false {
            guard !policies.hasRoute(of: lane.target, provider: lane.provider, kind: lane.kind, among: providers) else { continue }
            counts[lane.provider, default: 0] += lane.jobs
        }
        return counts.map { (provider: $0.key, jobs: $0.value) }.sorted { $0.provider < $1.provider }
    }
}

extension Job {
    /// Reads jobs with their tags, dependencies and errors, in the order of `ids`.
    static func fetch(_ reader: ReadConnection, ids: [Int64]) throws -> [Job] {
        try ids.compactMap { id in
            let found = try reader.statement(
                """
                SELECT jobs.id, lanes.kind, lanes.queue, lanes.target, jobs.state, jobs.priority, jobs.attempt, jobs.max_attempts,
                jobs.created_at, jobs.scheduled_at, requests.body, jobs.use_cache, jobs.digest, requests.custom_id, jobs.attempted_at,
                jobs.finalized_at, jobs.expires_at, jobs.cancel_requested_at, jobs.timeout_ms, jobs.cache_ttl_ms, jobs.batch_api,
                jobs.deadline_at, batches.name, coalesce(batches.budget_usd, jobs.budget_usd), jobs.unique_key, jobs.run_id,
                run_steps.path, requests.metadata, jobs.worker_id, workers.pid, results.reply, results.input_tokens,
                results.output_tokens, results.cost_usd, results.answered_by, results.target, results.latency_ms, results.unpriced
                FROM jobs JOIN lanes ON lanes.id = jobs.lane_id JOIN requests ON requests.job_id = jobs.id
                LEFT JOIN batches ON batches.id = jobs.batch_id LEFT JOIN workers ON workers.id = jobs.worker_id
                LEFT JOIN results ON results.job_id = jobs.id LEFT JOIN run_steps ON run_steps.job_id = jobs.id WHERE jobs.id = ?
                """
            ).bind(id).first { try Job($0) }
            guard var job = found else { return nil }
            job.tags = try reader.statement("SELECT tag FROM job_tags WHERE job_id = ? ORDER BY tag").bind(id).all { $0.text(0) }
            job.after = try reader.statement("SELECT depends_on FROM dependencies WHERE job_id = ? ORDER BY depends_on").bind(id)
                .all { $0.int64(0) }
            job.errors = try reader.statement(
                "SELECT attempt, at, class, message, target, cost_usd, partial, unpriced FROM job_errors WHERE job_id = ? ORDER BY id"
            ).bind(id).all { row in
                JobError(
                    attempt: row.int(0), at: row.int64(1), failure: FailureClass(rawValue: row.text(2)) ?? .permanent, message: row.text(3),
                    target: row.optionalText(4), cost: row.bool(7) ? nil : row.double(5), partialText: row.optionalText(6))
            }
            return job
        }
    }

    /// Reads the columns in the order that `fetch` selects them.
    private init(_ row: Statement) throws {
        guard let kind = JobKind(rawValue: row.text(1)), let target = Target(row.text(3)), let state = JobState(rawValue: row.text(4))
        else { throw StoreError(.corrupt, "job \(row.int64(0)) is damaged") }
        self.init(
            id: row.int64(0), kind: kind, queue: row.text(2), target: target, state: state, priority: row.int(5), attempt: row.int(6),
            maxAttempts: row.int(7), createdAt: row.int64(8), scheduledAt: row.int64(9), request: try JSONValue.parse(row.text(10)),
            useCache: row.bool(11), digest: row.blob(12))
        customID = row.optionalText(13)
        attemptedAt = row.optionalInt64(14)
        finalizedAt = row.optionalInt64(15)
        expiresAt = row.optionalInt64(16)
        cancelRequestedAt = row.optionalInt64(17)
        timeout = row.optionalInt64(18)
        cacheTimeToLive = row.optionalInt64(19)
        usesBatchAPI = row.bool(20)
        deadline = row.optionalInt64(21)
        batch = row.optionalText(22)
        budget = row.optionalDouble(23)
        uniqueKey = row.optionalText(24)
        runID = row.optionalInt64(25)
        step = row.optionalText(26)
        metadata = try row.optionalText(27).map { try JSONValue.parse($0) }
        worker = row.optionalInt64(28).map { WorkerIdentity(id: $0, pid: row.int64(29)) }
        if let reply = row.optionalText(30) {
            let answeredBy = AnsweredBy(rawValue: row.text(34)) ?? .provider
            result = JobResult(
                stored: try JSONValue.parse(reply), usage: Usage(inputTokens: row.int(31), outputTokens: row.int(32)),
                cost: answeredBy.isPaid ? row.cost(33, unpriced: 37) : row.double(33), answeredBy: answeredBy, target: row.text(35),
                latency: row.int64(36))
        }
    }
}

/// What a pending job waits for.
package enum JobWait: Sendable, Equatable {
    /// The answer of an identical job that is running; nil if its call has just ended.
    case identicalJob(Int64?)
    /// The results of a provider batch.
    case providerBatch(Int64, ProviderBatch.State)
    /// Dependencies that must complete first: the 10 with the smallest ids.
    case jobs([Int64])
}

extension JobStore {
    /// Returns what a job waits for; nil if it is not pending or the reason is not known.
    package func wait(of job: Int64) throws -> JobWait? {
        try read { reader in
            guard try reader.statement("SELECT 1 FROM jobs WHERE id = ? AND +state = 'pending'").bind(job).exists() else { return nil }
            let batch = try reader.statement(
                """
                SELECT id, state FROM provider_batches
                WHERE id = (SELECT batch_id FROM provider_batch_jobs WHERE job_id = ? AND is_given_up = 0)
                """
            ).bind(job).first { JobWait.providerBatch($0.int64(0), ProviderBatch.State(rawValue: $0.text(1)) ?? .submitted) }
            if let batch { return batch }
            let leader = try reader.statement(
                """
                SELECT (SELECT id FROM jobs WHERE jobs.digest = followers.digest AND state = 'running' AND use_cache = 1
                        ORDER BY id LIMIT 1) FROM followers WHERE job_id = ?
                """
            ).bind(job).first { JobWait.identicalJob($0.optionalInt64(0)) }
            if let leader { return leader }
            let open = try reader.statement(
                """
                SELECT depends_on FROM dependencies JOIN jobs ON jobs.id = depends_on
                WHERE job_id = ? AND finalized_at IS NULL ORDER BY depends_on LIMIT 10
                """
            ).bind(job).all { $0.int64(0) }
            return open.isEmpty ? nil : .jobs(open)
        }
    }
}
