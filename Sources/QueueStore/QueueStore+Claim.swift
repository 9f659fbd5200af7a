import GRDB
import JobModel

extension QueueStore {
    /// Claims ready jobs for the free slots, in one transaction, and reads which running ones are to be cancelled. Between lanes:
    /// the best head priority first, then the one longest unserved.
    ///
    /// A lane whose targets admit no call now is passed over whole. Its time does not depend on how many jobs there are: it reads
    /// the lanes (few), their providers' rows and the first entries of an index over one lane's ready jobs.
    public func claim(_ request: ClaimRequest) async throws -> ClaimRound {
        let (cancellations, hasWork) = try read { database in
            (
                try Self.cancellations(worker: request.worker, database),
                try (request.slots > 0 || !request.openCalls.isEmpty) && Self.hasWork(for: request, database)
            )
        }
        var round = hasWork ? try await write { try $0.claim(request) } : ClaimRound()
        round.cancellations = cancellations
        return round
    }

    /// Running jobs of a worker whose cancellation is asked for. A call whose answer others wait for goes on.
    private static func cancellations(worker: Int64, _ database: Database) throws -> [Lease] {
        try Row.fetchAll(
            database.cachedStatement(
                sql: """
                    SELECT id, token FROM jobs INDEXED BY jobs_running
                    WHERE worker_id = ? AND state = 'running' AND cancel_requested_at IS NOT NULL
                    AND NOT (use_cache = 1 AND EXISTS (SELECT 1 FROM followers WHERE digest = +jobs.digest))
                    """), arguments: [worker]
        ).map { Lease(jobID: $0[0], token: $0[1]) }
    }

    /// Whether a lane that the worker serves has ready jobs: a read, so that an idle worker writes nothing.
    private static func hasWork(for request: ClaimRequest, _ database: Database) throws -> Bool {
        let lanes = try Row.fetchCursor(
            database.cachedStatement(
                sql: """
                    SELECT lanes.queue, lanes.provider, lanes.target FROM lanes JOIN queues ON queues.name = lanes.queue
                    WHERE lanes.available > 0 AND queues.paused_at IS NULL
                    """))
        while let lane = try lanes.next() {
            if request.serves(queue: lane[0], provider: lane[1], target: lane[2]) { return true }
        }
        return false
    }
}

/// A lane that has ready jobs.
struct ReadyLane {
    var id: Int64
    var kind: JobKind
    var target: Target
    /// The priority of its first job; nil where only jobs that must run alone are ready.
    var head: Int?
    var hasSuspect: Bool
    var served: Int64
}

/// One round of claiming, under way.
struct Claiming {
    let request: ClaimRequest
    var round = ClaimRound()
    /// The token of the jobs that have calls of their own; drawn with the first.
    var token: Int64?
    /// The latest token that was drawn.
    var latestToken: Int64?
    /// How many jobs may still be turned away for their cost: a lane may hold any number of them.
    var withdrawals = 100
    /// How many jobs were found to wait for an identical one's answer.
    var setAside = 0
    /// The digests of what it claimed.
    private var led: Set<[UInt8]> = []
    /// Whether a job of the lane at hand was put back because what is left of its batch's budget is set aside for calls under way:
    /// the next ones would be too.
    var isTight = false

    init(_ request: ClaimRequest) { self.request = request }

    /// The lanes whose calls that wait for company were looked after.
    var filled: Set<Int64> = []

    /// Whether the round has done so much that others should have their turn.
    var isLong: Bool { withdrawals <= 0 || setAside >= Self.mostSetAside || round.jobs.count >= Self.mostJobs }

    /// The most jobs that a round claims where they share calls: its transaction must be short.
    static let mostJobs = 1_000
    /// The most jobs that a round sets aside, give or take a sweep, and how many one sweep looks at: a round must be short.
    static let mostSetAside = 500
    static let sweepLength = 200

    /// Whether a job is the first of its digest in this round.
    mutating func leads(_ digest: [UInt8]) -> Bool { led.insert(digest).inserted }

    /// The first of its digest was put back: the next one leads.
    mutating func leadsNoMore(_ digest: [UInt8]) { led.remove(digest) }

    mutating func noteOpening(_ time: Int64?) {
        guard let time else { return }
        round.nextOpening = min(round.nextOpening ?? time, time)
    }
}

extension WriteTransaction {
    func claim(_ request: ClaimRequest) throws -> ClaimRound {
        var lanes = try readyLanes(for: request)
        var claiming = Claiming(request)
        for lane in lanes where lane.hasSuspect {
            // Jobs that two workers died of run alone: first everything else in this process must have ended.
            guard case .open(let opening) = try admit(lane, onlySuspects: true, upTo: 9, &claiming) else { continue }
            claiming.round.suspectWaits = true
            guard request.isIdle else { return claiming.round }
            claiming.round.jobs = try take(1, from: lane, opening, onlySuspects: true, upTo: 9, &claiming)
            claiming.round.runsAlone = !claiming.round.jobs.isEmpty
            guard claiming.round.jobs.isEmpty else { return claiming.round }
            // It was turned away, or waits for an identical one's answer.
            claiming.round.suspectWaits = false
        }
        lanes.removeAll { $0.head == nil }
        let openLanes = lanes.filter { request.openCalls[$0.id] != nil }
        var slots = request.slots
        while slots > 0, let best = lanes.indices.min(by: { Self.precedes(lanes[$0], lanes[$1]) }) {
            // As far as the next lane's head priority, and no further: a lane must not slip its later jobs in before it.
            let others = lanes.indices.lazy.filter { $0 != best }.compactMap { lanes[$0].head }
            let limit = others.min() ?? 9
            switch try admit(lanes[best], onlySuspects: false, upTo: limit, &claiming) {
            case .closed:
                lanes.remove(at: best)
            case .exhausted:
                lanes[best].head = try headPriority(of: lanes[best].id)
                if lanes[best].head == nil { lanes.remove(at: best) }
            case .open(let opening):
                let before = (claiming.withdrawals, claiming.setAside)
                let taken = try claim(from: lanes[best], opening, slots: slots, upTo: limit, &claiming)
                claiming.round.jobs.append(contentsOf: taken.jobs)
                slots -= taken.calls
                lanes[best].served = claiming.latestToken ?? lanes[best].served
                lanes[best].head = slots > 0 ? try headPriority(of: lanes[best].id) : nil
                let isOver = claiming.isTight || (taken.jobs.isEmpty && before == (claiming.withdrawals, claiming.setAside))
                claiming.isTight = false
                if lanes[best].head == nil || isOver { lanes.remove(at: best) }
            }
            guard !claiming.isLong else {
                // There may be more of them: the next round goes on.
                ledger.ringWork()
                return claiming.round
            }
        }
        // What goes along with a call that waits for company needs no slot of its own.
        for lane in openLanes where !claiming.filled.contains(lane.id) {
            guard case .open(let opening) = try admit(lane, onlySuspects: false, upTo: 9, &claiming) else { continue }
            claiming.round.jobs += try claim(from: lane, opening, slots: 0, upTo: 9, &claiming).jobs
        }
        return claiming.round
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
            guard request.serves(queue: row.text(1), provider: row.text(2), target: row.text(3)), let target = Target(row.text(3)),
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

    /// Claims a lane's next jobs, as many as the opening and the slots allow.
    /// - Returns: the jobs that are to be called for, and how many slots their calls take.
    private func claim(
        from lane: ReadyLane, _ opening: Opening, slots: Int, upTo priority: Int, _ claiming: inout Claiming
    ) throws -> (jobs: [ClaimedJob], calls: Int) {
        let before = claiming.setAside
        let taken: (jobs: [ClaimedJob], calls: Int)
        if lane.kind.isBatchable, !opening.isProbe, let capacity = claiming.request.capacities[opening.target.provider] {
            taken = try takeTogether(from: lane, opening, capacity, calls: min(slots, opening.count), upTo: priority, &claiming)
        } else {
            let jobs = try take(min(slots, opening.count), from: lane, opening, onlySuspects: false, upTo: priority, &claiming)
            taken = (jobs, jobs.count)
        }
        if claiming.setAside - before > taken.jobs.count { try sweepFollowers(of: lane, upTo: priority, &claiming) }
        return taken
    }

    /// Claims up to `count` of a lane's jobs, and sets aside what their calls need. Fewer come back where a budget turns some away, or
    /// an identical job is to be answered first.
    private func take(
        _ count: Int, from lane: ReadyLane, _ opening: Opening, onlySuspects: Bool, upTo priority: Int, _ claiming: inout Claiming
    ) throws -> [ClaimedJob] {
        // Not one of jobs that share a call: that such a call has begun is noted by its token.
        let token = try claiming.token ?? nextToken()
        claiming.token = token
        claiming.latestToken = token
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
                CASE WHEN use_cache THEN (SELECT created_at FROM cache_entries WHERE digest = +jobs.digest AND expires_at > ?4) END,
                EXISTS (SELECT 1 FROM streams WHERE job_id = jobs.id), budget_usd,
                (SELECT budget_usd FROM batches WHERE id = jobs.batch_id), inputs, bytes, cache_ttl_ms
                """)
            : statement(
                """
                UPDATE jobs SET state = 'running', attempt = attempt + 1, token = ?1, worker_id = ?2, lease_expires_at = ?3,
                attempted_at = ?4
                WHERE id IN (SELECT id FROM jobs INDEXED BY jobs_available WHERE lane_id = ?5 AND state = 'available' AND crashes < 2
                             AND priority <= ?6 ORDER BY priority, id LIMIT ?7)
                RETURNING id, batch_id, priority, attempt, max_attempts, crashes, timeout_ms, use_cache, digest,
                (SELECT body FROM requests WHERE job_id = jobs.id),
                CASE WHEN use_cache THEN (SELECT created_at FROM cache_entries WHERE digest = +jobs.digest AND expires_at > ?4) END,
                EXISTS (SELECT 1 FROM streams WHERE job_id = jobs.id), budget_usd,
                (SELECT budget_usd FROM batches WHERE id = jobs.batch_id), inputs, bytes, cache_ttl_ms
                """)
        claim.bind(token).bind(claiming.request.worker).bind(clock.boot() + claiming.request.lease).bind(now).bind(lane.id).bind(priority)
            .bind(count)
        let taken = try begin(claim, token, lane, opening, &claiming)
        let isHeld = try mustHold(opening, lane, claiming.request.policies)
        guard isHeld || taken.contains(where: { !$0.budgets.isEmpty }) else { return taken.map(\.job) }
        return try taken.compactMap { try prepare($0.job, $0.budgets, opening, opening.estimate, isHeld: isHeld, &claiming) }
    }

    /// Claims a lane's next jobs for calls that they share: as many as fit, in their order. Each call's jobs have a token of their own.
    /// Jobs of a priority that must wait go along where a call has room for them.
    private func takeTogether(
        from lane: ReadyLane, _ opening: Opening, _ capacity: CallCapacity, calls: Int, upTo priority: Int, _ claiming: inout Claiming
    ) throws -> (jobs: [ClaimedJob], calls: Int) {
        let open = claiming.filled.insert(lane.id).inserted ? claiming.request.openCalls[lane.id] : nil
        var planned = try plan(lane, capacity, calls: calls, open: open, upTo: priority, &claiming)
        if opening.estimate != nil { planned = try narrowed(planned, lane, opening, claiming.request.policies) }
        let isHeld = try mustHold(opening, lane, claiming.request.policies)
        var jobs: [ClaimedJob] = []
        var callCount = 0
        for call in planned where !call.ids.isEmpty {
            let token = try nextToken()
            claiming.latestToken = token
            let claim = try statement(
                """
                UPDATE jobs SET state = 'running', attempt = attempt + 1, token = ?1, worker_id = ?2, lease_expires_at = ?3,
                attempted_at = ?4 WHERE id IN (SELECT value FROM json_each(?5)) AND state = 'available'
                RETURNING id, batch_id, priority, attempt, max_attempts, crashes, timeout_ms, use_cache, digest,
                (SELECT body FROM requests WHERE job_id = jobs.id),
                CASE WHEN use_cache THEN (SELECT created_at FROM cache_entries WHERE digest = +jobs.digest AND expires_at > ?4) END,
                EXISTS (SELECT 1 FROM streams WHERE job_id = jobs.id), budget_usd,
                (SELECT budget_usd FROM batches WHERE id = jobs.batch_id), inputs, bytes, cache_ttl_ms
                """
            ).bind(token).bind(claiming.request.worker).bind(clock.boot() + claiming.request.lease).bind(now)
                .bind("[\(call.ids.map(String.init).joined(separator: ","))]")
            var isFirst = !call.joinsOpenCall
            let before = jobs.count
            for (job, budgets) in try begin(claim, token, lane, opening, &claiming) {
                guard isHeld || !budgets.isEmpty else {
                    jobs.append(job)
                    continue
                }
                var estimate = claiming.request.policies.expected(opening.target, job.kind, job.body)
                // One that the cache answers is no part of the call.
                estimate.requests = isFirst && !job.isCached ? 1 : 0
                guard let job = try prepare(job, budgets, opening, estimate, isHeld: isHeld, &claiming) else { continue }
                if !job.isCached { isFirst = false }
                jobs.append(job)
            }
            if jobs.count > before, !call.joinsOpenCall { callCount += 1 }
        }
        return (jobs, callCount)
    }

    /// The jobs of one call.
    private struct PlannedCall {
        var ids: [Int64] = []
        /// Whether it goes along with one that waits for company.
        var joinsOpenCall = false
    }

    /// Which of a lane's next jobs go into which call.
    private func plan(
        _ lane: ReadyLane, _ capacity: CallCapacity, calls: Int, open: OpenCall?, upTo priority: Int, _ claiming: inout Claiming
    ) throws(SQLFailure) -> [PlannedCall] {
        var packing = CallPacking(capacity, calls: calls, inputs: open?.inputs, bytes: open?.bytes ?? 0)
        var planned = [PlannedCall(joinsOpenCall: true)]
        var left = Claiming.mostJobs - claiming.round.jobs.count
        var hasMore = false
        try statement(
            """
            SELECT id, inputs, bytes, priority FROM jobs INDEXED BY jobs_available
            WHERE lane_id = ? AND state = 'available' AND crashes < 2 ORDER BY priority, id
            """
        ).bind(lane.id).eachRow(while: { row in
            let place = packing.place(inputs: row.int(1), bytes: row.int(2), mayOpen: row.int(3) <= priority)
            guard left > 0, place != .none else {
                hasMore = true
                return false
            }
            if place == .next { planned.append(PlannedCall()) }
            planned[planned.count - 1].ids.append(row.int64(0))
            left -= 1
            return true
        })
        if hasMore { claiming.round.lanesWithMore.insert(lane.id) }
        return planned
    }

    /// As much of a plan as limits of tokens and money have room for: one call at a time, halved until it fits.
    private func narrowed(
        _ planned: [PlannedCall], _ lane: ReadyLane, _ opening: Opening, _ policies: CallPolicies
    ) throws(SQLFailure) -> [PlannedCall] {
        guard var call = planned.first(where: { !$0.ids.isEmpty }) else { return [] }
        while call.ids.count > 1 {
            var sum = CallEstimate()
            for id in call.ids {
                let body = try statement("SELECT body FROM requests WHERE job_id = ?").bind(id).first { $0.text(0) } ?? ""
                let one = policies.expected(opening.target, lane.kind, body)
                sum.inputTokens += one.inputTokens
                sum.outputTokens += one.outputTokens
                sum.worstCost += one.worstCost
            }
            // A single job that is larger than a limit goes when nothing else does: several go one after the other.
            if try fits(sum, opening.target, policies), case .open = try gate(opening.target, policies, estimate: sum) { break }
            call.ids.removeLast(call.ids.count - call.ids.count / 2)
        }
        return [call]
    }

    /// Whether anything has to be set aside for a lane's calls.
    private func mustHold(_ opening: Opening, _ lane: ReadyLane, _ policies: CallPolicies) throws(SQLFailure) -> Bool {
        if opening.isProbe || opening.target != lane.target { return true }
        return try isLimited(opening.target, policies)
    }

    /// Runs a claim's UPDATE, and has those of its jobs follow whose like is under way.
    private func begin(
        _ claim: SQLStatement, _ token: Int64, _ lane: ReadyLane, _ opening: Opening, _ claiming: inout Claiming
    ) throws -> [(job: ClaimedJob, budgets: Budgets)] {
        var budgets: [Int64: Budgets] = [:]
        var jobs = try claim.all { row in
            var job = ClaimedJob(
                lease: Lease(jobID: row.int64(0), token: token), laneID: lane.id, batchID: row.optionalInt64(1), priority: row.int(2),
                kind: lane.kind, target: lane.target, body: row.text(9), digest: row.blob(8), attempt: row.int(3),
                maxAttempts: row.int(4), crashes: row.int(5), timeout: row.optionalInt64(6), useCache: row.int64(7) == 1,
                cachedAt: row.optionalInt64(10), route: opening.target, isProbe: opening.isProbe, isStreamed: row.int64(11) == 1,
                worstCost: opening.estimate?.worstCost ?? 0)
            job.inputs = row.int(14)
            job.bytes = row.int(15)
            job.cacheTimeToLive = row.optionalInt64(16)
            let own = Budgets(own: row.optionalDouble(12), batch: row.optionalDouble(13))
            if !own.isEmpty { budgets[job.id] = own }
            return job
        }
        guard !jobs.isEmpty else { return [] }
        // RETURNING promises no order.
        jobs.sort { ($0.priority, $0.id) < ($1.priority, $1.id) }
        ledger.move(lane: lane.id, batch: nil, from: .available, to: .running, count: Int64(jobs.count))
        ledger.serve(lane: lane.id, token: token)
        return try withoutFollowers(jobs, &claiming).map { ($0, budgets[$0.id] ?? Budgets()) }
    }

    /// Sets aside what a claimed job's call needs; nil where its budget does not allow the call, and it is not to run.
    private func prepare(
        _ job: ClaimedJob, _ budgets: Budgets, _ opening: Opening, _ expected: CallEstimate?, isHeld: Bool, _ claiming: inout Claiming
    ) throws -> ClaimedJob? {
        guard isHeld || !budgets.isEmpty else { return job }
        var job = job
        var estimate = expected ?? CallEstimate()
        if !budgets.isEmpty {
            if expected == nil { estimate = claiming.request.policies.expected(opening.target, job.kind, job.body) }
            // An answer from the cache costs nothing.
            if !job.isCached, let refusal = try refusal(of: job, estimate, budgets) {
                claiming.withdrawals -= 1
                if case .notNow = refusal { claiming.isTight = true }
                try withdraw(job, refusal)
                if job.useCache {
                    claiming.leadsNoMore(job.digest)
                    // Without a ring, which the end of a call of its batch will be: the next round would find it as tight.
                    try promoteFollowers(of: job.digest, rings: false)
                }
                return nil
            }
        }
        job.worstCost = estimate.worstCost
        job.isHeld = true
        try hold(
            Reservation(
                lease: job.lease, call: job.lease.token, target: opening.target, estimate: estimate, isProbe: opening.isProbe,
                batch: budgets.batch == nil ? nil : job.batchID))
        return job
    }
}
