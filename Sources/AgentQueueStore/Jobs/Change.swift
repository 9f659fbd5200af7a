import AgentQueueModel

/// A change that a user requests.
package enum JobOperation: Sendable {
    case cancel, retry, delete

    /// The states of jobs that it changes, if it is to change all that match a filter.
    package var states: [JobState] {
        switch self {
        case .cancel: JobState.allCases.filter { !$0.isFinal }
        case .retry: [.cancelled, .discarded, .retryable]
        case .delete: JobState.allCases.filter(\.isFinal)
        }
    }

    fileprivate var auditName: String {
        switch self {
        case .cancel: "job.cancel"
        case .retry: "job.retry"
        case .delete: "job.delete"
        }
    }
}

extension JobStore {
    /// Cancels jobs. Waiting jobs end at once, and the calls of running jobs are stopped within a second, unless identical
    /// jobs wait for the answer: then the call continues for them, and the job ends as cancelled when it returns.
    /// - Parameter actor: who does it, for the record; nil leaves it unrecorded.
    package func cancel(ids: [Int64], by actor: String? = nil) async throws -> [JobChange] {
        try await change(.cancel, ids: ids, by: actor)
    }

    /// Cancels every matching job that has not ended. Returns how many.
    package func cancel(where filter: JobFilter) async throws -> Int {
        try await change(.cancel, where: filter)
    }

    /// Retries cancelled and failed jobs from their first attempt, and restores the dependents that were cancelled because of them. A
    /// `retryable` or `scheduled` job becomes available now.
    /// - Parameter actor: who does it, for the record; nil leaves it unrecorded.
    package func retry(ids: [Int64], by actor: String? = nil) async throws -> [JobChange] {
        try await change(.retry, ids: ids, by: actor)
    }

    /// Retries every matching job that is cancelled, failed or `retryable`. Returns how many.
    package func retry(where filter: JobFilter) async throws -> Int {
        try await change(.retry, where: filter)
    }

    /// Asks completed jobs anew: each gets all its attempts again and no cached answer, and the cached answer to its request is removed. The
    /// old answer is kept as ``replacedResult(of:)``; the job has none until the new one comes.
    /// - Parameter actor: who does it, for the record; nil leaves it unrecorded.
    package func askAgain(ids: [Int64], by actor: String? = nil) async throws -> [JobChange] {
        var changes: [JobChange] = []
        for id in ids {
            let change = try await write { transaction in
                let change = try transaction.askAgain(id)
                if let actor, case .changed = change.result {
                    try transaction.audit(actor, JobOperation.retry.auditName, "job \(id)", "asked anew")
                }
                return change
            }
            changes.append(change)
        }
        return changes
    }

    /// The answer that a job had before it was last asked anew; nil if it never was.
    package func replacedResult(of id: Int64) throws -> JobResult? {
        try read { reader in
            try reader.statement(
                """
                SELECT reply, input_tokens, output_tokens, cost_usd, answered_by, target, latency_ms, unpriced FROM replaced_results
                WHERE job_id = ?
                """
            ).bind(id).first { row in
                let answeredBy = AnsweredBy(rawValue: row.text(4)) ?? .provider
                return JobResult(
                    stored: try JSONValue.parse(row.text(0)), usage: Usage(inputTokens: row.int(1), outputTokens: row.int(2)),
                    cost: answeredBy.isPaid ? row.cost(3, unpriced: 7) : row.double(3), answeredBy: answeredBy, target: row.text(5),
                    latency: row.int64(6))
            }
        }
    }

    /// Deletes ended jobs with their results, except those that open jobs depend on.
    /// - Parameter actor: who does it, for the record; nil leaves it unrecorded.
    package func delete(ids: [Int64], by actor: String? = nil) async throws -> [JobChange] {
        try await change(.delete, ids: ids, by: actor)
    }

    /// Deletes every matching job that has ended. Returns how many.
    package func delete(where filter: JobFilter) async throws -> Int {
        try await change(.delete, where: filter)
    }

    /// Returns how many matching jobs an operation would change. Jobs may come and go before it runs.
    package func count(for operation: JobOperation, where filter: JobFilter) throws -> Int {
        guard let filter = filter.restricted(to: operation) else { return 0 }
        return try counts(filter, leavesEndedSteps: operation != .cancel).reduce(0) { $0 + $1.value }
    }

    private func change(_ operation: JobOperation, ids: [Int64], by actor: String? = nil) async throws -> [JobChange] {
        var changes: [JobChange] = []
        var rest = ids[...]
        while !rest.isEmpty {
            let slice = Array(rest.prefix(100))
            rest = rest.dropFirst(100)
            changes += try await write { transaction in
                try slice.map { id in
                    let change = try transaction.change(operation, id)
                    if let actor, case .changed = change.result { try transaction.audit(actor, operation.auditName, "job \(id)") }
                    return change
                }
            }
        }
        return changes
    }

    /// Walks the matching jobs in slices, so that no transaction holds the writer for long. Jobs added after the start are left out.
    private func change(_ operation: JobOperation, where filter: JobFilter) async throws -> Int {
        guard let filter = filter.restricted(to: operation) else { return 0 }
        var after: Int64 = 0
        var changed = 0
        let last = try read { try $0.statement("SELECT coalesce(max(id), 0) FROM jobs").number() } ?? 0
        while after < last {
            let ids = try ids(filter, after: after, through: last, limit: 200)
            guard let end = ids.last else { break }
            after = end
            changed += try await change(operation, ids: ids).count {
                if case .changed = $0.result { true } else { false }
            }
        }
        return changed
    }

    /// Stops jobs of a queue from being claimed; running jobs continue.
    package func pause(queue: String) async throws {
        try await write { transaction in
            try transaction.makeQueue(queue)
            try transaction.statement("UPDATE queues SET paused_at = coalesce(paused_at, ?) WHERE name = ?")
                .bind(transaction.now).bind(queue).run()
        }
    }

    /// Resumes a paused queue. Returns false if the queue does not exist.
    @discardableResult
    package func resume(queue: String) async throws -> Bool {
        try await write { transaction in
            transaction.ledger.ringWork()
            return try transaction.statement(
                """
                UPDATE queues SET last_paused_at = coalesce(paused_at, last_paused_at),
                resumed_at = CASE WHEN paused_at IS NULL THEN resumed_at ELSE CAST(?1 AS bigint) END, paused_at = NULL WHERE name = ?2
                """
            ).bind(transaction.now).bind(queue).run() == 1
        }
    }
}

extension JobFilter {
    /// The filter with the states that an operation changes; nil if it asks for none of them.
    fileprivate func restricted(to operation: JobOperation) -> JobFilter? {
        var filter = self
        filter.states = states.isEmpty ? operation.states : states.filter(operation.states.contains)
        return filter.states.isEmpty ? nil : filter
    }
}

extension WriteTransaction {
    fileprivate func change(_ operation: JobOperation, _ id: Int64) throws -> JobChange {
        guard let job = try place(of: id) else { return JobChange(id: id, result: .notFound) }
        // An ended step can only be retried or deleted with its run. (A step that waits for its next attempt may be retried now.)
        if let run = job.run, job.state.isFinal, operation != .cancel {
            let advice = operation == .retry ? "retry the run instead" : "pruning removes it with its run"
            return JobChange(id: id, result: .refused("it is a step of run \(run); \(advice)"))
        }
        let result: JobChange.Result =
            switch operation {
            case .cancel: try cancel(id, job.state, lane: job.lane, batch: job.batch)
            case .retry: try retry(id, job.state, lane: job.lane, batch: job.batch)
            case .delete: try delete(id, job.state, lane: job.lane, batch: job.batch)
            }
        return JobChange(id: id, result: result)
    }

    fileprivate func askAgain(_ id: Int64) throws -> JobChange {
        guard let job = try place(of: id) else { return JobChange(id: id, result: .notFound) }
        if let run = job.run { return JobChange(id: id, result: .refused("it is a step of run \(run); start another run instead")) }
        let isFailed = job.state == .cancelled || job.state == .discarded
        guard job.state == .completed else {
            let advice = isFailed ? "retry it without asking anew" : "it has no answer yet"
            return JobChange(id: id, result: .refused("only a completed job is asked anew; \(advice)"))
        }
        let asked = try statement(
            "SELECT body, kind, digest FROM jobs JOIN lanes ON lanes.id = lane_id JOIN requests ON job_id = jobs.id WHERE jobs.id = ?"
        )
        .bind(id).first { (body: $0.text(0), kind: $0.text(1), digest: $0.blob(2)) }
        guard let asked, asked.kind != JobKind.memorize.rawValue else {
            return JobChange(id: id, result: .refused("it stores memories; add another job instead"))
        }
        try setAsideResult(of: id)
        _ = try deleteCacheEntries("digest = ?", limit: 1) { $0.bind(asked.digest) }
        try statement("UPDATE jobs SET use_cache = 0 WHERE id = ?").bind(id).run()
        try forgoCache(of: id, try JSONValue.parse(asked.body))
        try beginAnew(id, from: .completed, lane: job.lane, batch: job.batch)
        try releaseIfReady(id)
        return JobChange(id: id, result: .changed(.available))
    }

    private func setAsideResult(of id: Int64) throws(SQLFailure) {
        try statement("DELETE FROM replaced_results WHERE job_id = ?").bind(id).run()
        try statement(
            """
            INSERT INTO replaced_results
            (job_id, replaced_at, reply, answered_by, target, input_tokens, output_tokens, cost_usd, latency_ms, unpriced,
             attempt, began_at, ended_at)
            SELECT job_id, CAST(? AS bigint), reply, answered_by, target, input_tokens, output_tokens, results.cost_usd, latency_ms, unpriced,
                attempt, attempted_at, finalized_at
            FROM results JOIN jobs ON jobs.id = job_id WHERE job_id = ?
            """
        ).bind(now).bind(id).run()
        try statement("DELETE FROM results WHERE job_id = ?").bind(id).run()
    }

    /// A job that uses memories keeps in its request whether the cache may serve it.
    private func forgoCache(of id: Int64, _ body: JSONValue) throws {
        guard var use = try memoryUse(of: id, body), use.usesCache, case .object(let members) = MemoryUse.removed(from: body) else {
            return
        }
        use.usesCache = false
        let changed = JSONValue.object(members + use.json)
        try statement("UPDATE requests SET body = ? WHERE job_id = ?").bind(changed.text).bind(id).run()
    }

    private func memoryUse(of id: Int64, _ body: JSONValue) throws(StoreError) -> MemoryUse? {
        do { return try MemoryUse(body) } catch { throw StoreError(.corrupt, "the request of job \(id) is damaged: \(error)") }
    }

    private func place(of id: Int64) throws(SQLFailure) -> (state: JobState, lane: Int64, batch: Int64?, run: Int64?)? {
        let row = try statement("SELECT state, lane_id, batch_id, run_id FROM jobs WHERE id = ?").bind(id).first {
            ($0.text(0), $0.int64(1), $0.optionalInt64(2), $0.optionalInt64(3))
        }
        guard let row, let state = JobState(rawValue: row.0) else { return nil }
        return (state, row.1, row.2, row.3)
    }

    /// Cancels a job if it has not ended.
    func cancel(_ id: Int64) throws {
        guard let job = try place(of: id) else { return }
        _ = try cancel(id, job.state, lane: job.lane, batch: job.batch)
    }

    /// Retries a job if it is cancelled or discarded.
    func revive(_ id: Int64) throws -> JobChange.Result {
        guard let job = try place(of: id) else { return .notFound }
        guard job.state == .cancelled || job.state == .discarded else { return .unchanged(job.state) }
        return try revive(id, job.state, lane: job.lane, batch: job.batch)
    }

    private func cancel(_ id: Int64, _ state: JobState, lane: Int64, batch: Int64?) throws(SQLFailure) -> JobChange.Result {
        switch state {
        case .completed, .cancelled, .discarded:
            return .unchanged(state)
        case .running:
            try statement("UPDATE jobs SET cancel_requested_at = coalesce(cancel_requested_at, ?) WHERE id = ?").bind(now).bind(id).run()
            ledger.ringWork()
            return .changed(.running)
        case .pending, .scheduled, .available, .retryable:
            try endWaiting(id, from: state, to: .cancelled, lane: lane, batch: batch)
            if state == .pending { try giveUpBatch(of: id) }
            try addError(job: id, attempt: 0, .cancelled, "cancelled before it ran")
            if state == .pending {
                try unfollow(id)
                // A call that continued only for this follower can be stopped now.
                ledger.ringWork()
            }
            try recordFinish(of: id, .cancelled)
            return .changed(.cancelled)
        }
    }

    private func retry(_ id: Int64, _ state: JobState, lane: Int64, batch: Int64?) throws -> JobChange.Result {
        switch state {
        case .pending, .available, .running, .completed:
            return .unchanged(state)
        case .scheduled, .retryable:
            try makeAvailable(id, from: state, lane: lane, batch: batch)
            return .changed(.available)
        case .cancelled, .discarded:
            return try revive(id, state, lane: lane, batch: batch)
        }
    }

    private func revive(_ id: Int64, _ state: JobState, lane: Int64, batch: Int64?) throws -> JobChange.Result {
        if try isKeyTaken(of: id) { return .refused("another job has its unique key now") }
        try beginAnew(id, from: state, lane: lane, batch: batch)
        try statement(
            """
            UPDATE dependencies SET met = 1 WHERE job_id = ?1 AND met = 0
            AND (SELECT state FROM jobs WHERE id = depends_on) = 'completed'
            """
        ).bind(id).run()
        try releaseIfReady(id)
        try heedFailedDependencies(of: id)
        try tellDependents(of: id)
        let name = try statement("SELECT state FROM jobs WHERE id = ?").bind(id).first { $0.text(0) } ?? ""
        return .changed(JobState(rawValue: name) ?? .pending)
    }

    /// Returns whether another job has taken a cancelled or discarded job's unique key.
    func isKeyTaken(of id: Int64) throws(SQLFailure) -> Bool {
        try statement(
            """
            SELECT 1 FROM jobs WHERE unique_key = (SELECT unique_key FROM jobs WHERE id = ?)
            AND unique_key IS NOT NULL AND state NOT IN ('cancelled', 'discarded')
            """
        ).bind(id).first { _ in true } ?? false
    }

    func delete(_ id: Int64, _ state: JobState, lane: Int64, batch: Int64?) throws(SQLFailure) -> JobChange.Result {
        guard state.isFinal else { return .refused("it is \(state.rawValue); cancel it first") }
        guard try !isNeeded(id) else { return .refused("jobs that wait for it have not ended") }
        if let batch, try isHeldForClient(batch) { return .refused("the batch that it belongs to has not ended") }
        try statement("DELETE FROM dependencies WHERE depends_on = ?").bind(id).run()
        try statement("DELETE FROM jobs WHERE id = ?").bind(id).run()
        try unwatch(job: id)
        ledger.remove(lane: lane, batch: batch, state: state)
        return .changed(state)
    }

    /// Returns whether a job that has not ended depends on this one.
    func isNeeded(_ id: Int64) throws(SQLFailure) -> Bool {
        try statement(
            """
            SELECT 1 FROM dependencies CROSS JOIN jobs ON jobs.id = job_id
            WHERE depends_on = ? AND jobs.finalized_at IS NULL LIMIT 1
            """
        ).bind(id).first { _ in true } ?? false
    }
}
