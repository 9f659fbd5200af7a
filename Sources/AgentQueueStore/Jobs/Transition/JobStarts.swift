import AgentQueueModel

/// Which jobs of a lane a claim takes.
enum ClaimSource {
    /// The next ones up to a priority, at most `count`.
    case next(upTo: Int, count: Int)
    /// The next quarantined ones, which must run alone.
    case quarantined(upTo: Int, count: Int)
    /// Those of these ids that are still available.
    case these([Int64])
}

/// A job that a claim has taken, with its budgets.
struct StartedJob {
    var job: ClaimedJob
    var budgets: Budgets
}

/// Transitions into `running`, and back out of it as if the job had not been claimed.
extension WriteTransaction {
    private static let startNext = SQLText(
        starting(
            """
            id IN (SELECT id FROM jobs INDEXED BY jobs_available WHERE lane_id = ?5 AND state = 'available' AND crashes < 2
                   AND priority <= ?6 ORDER BY priority, id LIMIT ?7)
            """))
    private static let startQuarantined = SQLText(
        starting(
            """
            id IN (SELECT id FROM jobs INDEXED BY jobs_suspect WHERE lane_id = ?5 AND state = 'available' AND crashes >= 2
                   AND priority <= ?6 ORDER BY priority, id LIMIT ?7)
            """))
    private static let startThese = SQLText(starting("id IN (SELECT value FROM json_each(?5)) AND +state = 'available'"))

    /// Builds the statement that claims the jobs matching a condition and returns what a claim needs of each.
    ///
    /// The plus in `+jobs.digest` makes SQLite 3.40 find the cache entry by its digest. Without it, inside RETURNING, SQLite walks the
    /// index over `expires_at` for every job.
    private static func starting(_ condition: String) -> String {
        """
        UPDATE jobs SET state = 'running', attempt = attempt + 1, token = ?1, worker_id = ?2, lease_expires_at = ?3,
        attempted_at = ?4
        WHERE \(condition)
        RETURNING id, batch_id, priority, attempt, max_attempts, crashes, timeout_ms, use_cache, digest,
        (SELECT body FROM requests WHERE job_id = jobs.id),
        CASE WHEN use_cache = 1 THEN (SELECT created_at FROM cache_entries WHERE digest = +jobs.digest AND +expires_at > ?4) END,
        EXISTS (SELECT 1 FROM streams WHERE job_id = jobs.id), budget_usd,
        (SELECT budget_usd FROM batches WHERE id = jobs.batch_id), inputs, bytes, cache_ttl_ms, batch_api,
        run_id, scheduled_at, native
        """
    }

    /// available → running: jobs of a lane, under one token. Returns them in the order in which they are to run.
    func start(
        _ source: ClaimSource, of lane: ReadyLane, token: Int64, _ request: ClaimRequest, _ opening: Admitted
    ) throws(SQLFailure) -> [StartedJob] {
        let start =
            switch source {
            case .next: try statement(Self.startNext)
            case .quarantined: try statement(Self.startQuarantined)
            case .these: try statement(Self.startThese)
            }
        start.bind(token).bind(request.worker).bind(clock.boot() + request.lease).bind(now)
        switch source {
        case .next(let priority, let count), .quarantined(let priority, let count): start.bind(lane.id).bind(priority).bind(count)
        case .these(let ids): start.bind("[\(ids.map(String.init).joined(separator: ","))]")
        }
        var withNative: Set<Int64> = []
        var started = try start.all { row in
            if !row.isNull(20) { withNative.insert(row.int64(0)) }
            return StartedJob(row, token: token, lane, opening)
        }
        guard !started.isEmpty else { return [] }
        if !withNative.isEmpty {
            for index in started.indices where withNative.contains(started[index].job.id) {
                started[index].job.native = try native(of: started[index].job.id)
            }
        }
        // RETURNING guarantees no order.
        started.sort { ($0.job.priority, $0.job.id) < ($1.job.priority, $1.job.id) }
        ledger.move(lane: lane.id, batch: nil, from: .available, to: .running, count: Int64(started.count))
        ledger.serve(lane: lane.id, token: token)
        return started
    }

    /// running → pending, available or discarded: a job that was just claimed and whose call has not begun. Its attempt does not count.
    /// - Parameter rings: whether to wake the workers.
    func putBack(_ job: ClaimedJob, to state: JobState, rings: Bool = true) throws(SQLFailure) {
        try statement(
            """
            UPDATE jobs SET state = ?1, token = NULL, worker_id = NULL, lease_expires_at = NULL, attempt = attempt - 1,
            finalized_at = CASE WHEN ?1 = 'discarded' THEN CAST(?2 AS bigint) END WHERE id = ?3 AND token = ?4
            """
        ).bind(state.rawValue).bind(now).bind(job.id).bind(job.lease.token).run()
        ledger.move(lane: job.laneID, batch: job.batchID, from: .running, to: state, rings: rings)
    }
}

extension StartedJob {
    /// Reads a row that the claim returned.
    fileprivate init(_ row: Statement, token: Int64, _ lane: ReadyLane, _ opening: Admitted) {
        job = ClaimedJob(
            lease: Lease(jobID: row.int64(0), token: token), laneID: lane.id, batchID: row.optionalInt64(1), priority: row.int(2),
            kind: lane.kind, target: lane.target, body: row.text(9), digest: row.blob(8), attempt: row.int(3),
            maxAttempts: row.int(4), crashes: row.int(5), timeout: row.optionalInt64(6), useCache: row.int64(7) == 1,
            cachedAt: row.optionalInt64(10), route: opening.target, isProbe: opening.isProbe, isStreamed: row.int64(11) == 1,
            worstCost: opening.estimate?.worstCost ?? 0)
        job.inputs = row.int(14)
        job.bytes = row.int(15)
        job.cacheTimeToLive = row.optionalInt64(16)
        job.waitsForBatch = row.int64(17) > 0
        job.runID = row.optionalInt64(18)
        job.readySince = row.int64(19)
        budgets = Budgets(own: row.optionalDouble(12), batch: row.optionalDouble(13))
    }
}
