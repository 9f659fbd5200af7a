import GRDB
import JobModel

extension QueueStore {
    /// Claims ready jobs for the free slots, in one transaction, and reads which running ones are to be cancelled. Between lanes:
    /// the best head priority first, then the one longest unserved.
    ///
    /// Its time does not depend on how many jobs there are: it reads the lanes (few) and the first entries of an index
    /// over one lane's ready jobs.
    public func claim(_ request: ClaimRequest) async throws -> ClaimRound {
        let (cancellations, hasWork) = try read { database in
            (
                try Self.cancellations(worker: request.worker, database),
                try request.slots > 0 && Self.hasWork(for: request, database)
            )
        }
        var round = hasWork ? try await write { try $0.claim(request) } : ClaimRound()
        round.cancellations = cancellations
        return round
    }

    /// Running jobs of a worker whose cancellation is asked for.
    private static func cancellations(worker: Int64, _ database: Database) throws -> [Lease] {
        try Row.fetchAll(
            database.cachedStatement(
                sql: """
                    SELECT id, token FROM jobs INDEXED BY jobs_running
                    WHERE worker_id = ? AND state = 'running' AND cancel_requested_at IS NOT NULL
                    """), arguments: [worker]
        ).map { Lease(jobID: $0[0], token: $0[1]) }
    }

    /// Whether a lane that the worker serves has ready jobs: a read, so that an idle worker writes nothing.
    private static func hasWork(for request: ClaimRequest, _ database: Database) throws -> Bool {
        let lanes = try Row.fetchCursor(
            database.cachedStatement(
                sql: """
                    SELECT lanes.queue, lanes.provider FROM lanes JOIN queues ON queues.name = lanes.queue
                    WHERE lanes.available > 0 AND queues.paused_at IS NULL
                    """))
        while let lane = try lanes.next() {
            if request.serves(queue: lane[0], provider: lane[1]) { return true }
        }
        return false
    }
}

/// A lane that has ready jobs.
private struct ReadyLane {
    var id: Int64
    var kind: JobKind
    var target: Target
    /// The priority of its first job; nil where only jobs that must run alone are ready.
    var head: Int?
    var hasSuspect: Bool
    var served: Int64
}

extension WriteTransaction {
    func claim(_ request: ClaimRequest) throws -> ClaimRound {
        var lanes = try readyLanes(for: request)
        var round = ClaimRound()
        if let suspect = lanes.first(where: \.hasSuspect) {
            // Jobs that two workers died of run alone: first everything else in this process must have ended.
            round.suspectWaits = true
            guard request.isIdle else { return round }
            round.jobs = try take(1, from: suspect, onlySuspects: true, upTo: 9, token: nextToken(), request)
            round.runsAlone = !round.jobs.isEmpty
            return round
        }
        lanes.removeAll { $0.head == nil }
        guard !lanes.isEmpty else { return round }
        let token = try nextToken()
        var slots = request.slots
        while slots > 0, let best = lanes.indices.min(by: { Self.precedes(lanes[$0], lanes[$1]) }) {
            // As far as the next lane's head priority, and no further: a lane must not slip its later jobs in before it.
            let others = lanes.indices.lazy.filter { $0 != best }.compactMap { lanes[$0].head }
            let jobs = try take(slots, from: lanes[best], onlySuspects: false, upTo: others.min() ?? 9, token: token, request)
            round.jobs.append(contentsOf: jobs)
            slots -= jobs.count
            lanes[best].served = token
            lanes[best].head = slots > 0 ? try headPriority(of: lanes[best].id) : nil
            if lanes[best].head == nil || jobs.isEmpty { lanes.remove(at: best) }
        }
        return round
    }

    private static func precedes(_ one: ReadyLane, _ other: ReadyLane) -> Bool {
        (one.head ?? 10, one.served) < (other.head ?? 10, other.served)
    }

    private func readyLanes(for request: ClaimRequest) throws(SQLFailure) -> [ReadyLane] {
        var lanes: [ReadyLane] = []
        try statement(
            """
            SELECT lanes.id, lanes.queue, lanes.provider, lanes.target, lanes.kind, lanes.served,
            (SELECT priority FROM jobs INDEXED BY jobs_available
             WHERE lane_id = lanes.id AND state = 'available' AND crashes < 2 ORDER BY priority LIMIT 1),
            EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_suspect WHERE lane_id = lanes.id AND state = 'available' AND crashes >= 2)
            FROM lanes JOIN queues ON queues.name = lanes.queue WHERE lanes.available > 0 AND queues.paused_at IS NULL
            """
        ).eachRow { row in
            guard request.serves(queue: row.text(1), provider: row.text(2)), let target = Target(row.text(3)),
                let kind = JobKind(rawValue: row.text(4))
            else { return }
            lanes.append(
                ReadyLane(
                    id: row.int64(0), kind: kind, target: target, head: row.isNull(6) ? nil : row.int(6), hasSuspect: row.int64(7) == 1,
                    served: row.int64(5)))
        }
        return lanes
    }

    private func headPriority(of lane: Int64) throws(SQLFailure) -> Int? {
        try statement(
            """
            SELECT priority FROM jobs INDEXED BY jobs_available
            WHERE lane_id = ? AND state = 'available' AND crashes < 2 ORDER BY priority LIMIT 1
            """
        ).bind(lane).first { $0.int(0) }
    }

    private func take(
        _ count: Int, from lane: ReadyLane, onlySuspects: Bool, upTo priority: Int, token: Int64, _ request: ClaimRequest
    ) throws(SQLFailure) -> [ClaimedJob] {
        // The plus before `jobs.digest` makes SQLite 3.40 find the cache entry by its digest: without it, inside RETURNING, it
        // walks the index over `expires_at` for every job.
        let claim =
            try onlySuspects
            ? statement(
                """
                UPDATE jobs SET state = 'running', attempt = attempt + 1, token = ?1, worker_id = ?2, lease_expires_at = ?3,
                attempted_at = ?4
                WHERE id IN (SELECT id FROM jobs INDEXED BY jobs_suspect WHERE lane_id = ?5 AND state = 'available' AND crashes >= 2
                             AND priority <= ?6 ORDER BY priority, id LIMIT ?7)
                RETURNING id, batch_id, priority, attempt, max_attempts, crashes, timeout_ms, use_cache, digest,
                (SELECT body FROM requests WHERE job_id = jobs.id),
                use_cache AND EXISTS (SELECT 1 FROM cache_entries WHERE digest = +jobs.digest AND expires_at > ?4)
                """)
            : statement(
                """
                UPDATE jobs SET state = 'running', attempt = attempt + 1, token = ?1, worker_id = ?2, lease_expires_at = ?3,
                attempted_at = ?4
                WHERE id IN (SELECT id FROM jobs INDEXED BY jobs_available WHERE lane_id = ?5 AND state = 'available' AND crashes < 2
                             AND priority <= ?6 ORDER BY priority, id LIMIT ?7)
                RETURNING id, batch_id, priority, attempt, max_attempts, crashes, timeout_ms, use_cache, digest,
                (SELECT body FROM requests WHERE job_id = jobs.id),
                use_cache AND EXISTS (SELECT 1 FROM cache_entries WHERE digest = +jobs.digest AND expires_at > ?4)
                """)
        var jobs = try claim.bind(token).bind(request.worker).bind(clock.boot() + request.lease).bind(now).bind(lane.id).bind(priority)
            .bind(count).all { row in
                ClaimedJob(
                    lease: Lease(jobID: row.int64(0), token: token), laneID: lane.id, batchID: row.optionalInt64(1), priority: row.int(2),
                    kind: lane.kind, target: lane.target, body: row.text(9), digest: row.blob(8), attempt: row.int(3),
                    maxAttempts: row.int(4), crashes: row.int(5), timeout: row.optionalInt64(6), useCache: row.int64(7) == 1,
                    isCached: row.int64(10) == 1)
            }
        // RETURNING promises no order.
        jobs.sort { ($0.priority, $0.id) < ($1.priority, $1.id) }
        guard !jobs.isEmpty else { return jobs }
        ledger.move(lane: lane.id, batch: nil, from: .available, to: .running, count: Int64(jobs.count))
        ledger.serve(lane: lane.id, token: token)
        return jobs
    }
}
