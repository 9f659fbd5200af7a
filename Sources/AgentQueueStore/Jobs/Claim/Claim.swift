import AgentQueueModel

extension ClaimStore {
    /// Claims ready jobs for the free slots in one transaction, and reads which of the worker's running jobs are to be cancelled. The lane
    /// with the best head priority comes first; ties go to the lane that has gone longest without a claim.
    ///
    /// A lane none of whose targets admits a call now is skipped as a whole. The time does not depend on the number of jobs: a claim reads
    /// the lanes (few), their providers' rows, and the first entries of each lane's index of ready jobs.
    package func claim(_ request: ClaimRequest) async throws -> ClaimRound {
        let (cancellations, hasWork) = try read { reader in
            (
                try Self.cancellations(worker: request.worker, reader),
                try (request.slots > 0 || !request.openCalls.isEmpty) && Self.hasWork(for: request, reader)
            )
        }
        var round = hasWork ? try await write { try $0.claim(request) } : ClaimRound()
        // Without slots, nobody has looked at the lanes.
        if !hasWork, request.slots == 0 { round.waits = request.waits }
        round.cancellations = cancellations
        return round
    }

    /// Returns the worker's running jobs whose cancellation has been requested, except those that have followers: their calls go on.
    private static func cancellations(worker: Int64, _ reader: ReadConnection) throws -> [Lease] {
        try reader.statement(
            """
            SELECT id, token FROM jobs INDEXED BY jobs_running
            WHERE worker_id = ? AND state = 'running' AND lease_expires_at IS NOT NULL AND cancel_requested_at IS NOT NULL
            AND NOT (use_cache = 1 AND EXISTS (SELECT 1 FROM followers WHERE digest = +jobs.digest))
            """
        ).bind(worker).all { Lease(jobID: $0.int64(0), token: $0.int64(1)) }
    }

    /// Returns whether a lane that the worker serves has ready jobs. It is a read, so that an idle worker writes nothing.
    private static func hasWork(for request: ClaimRequest, _ reader: ReadConnection) throws -> Bool {
        try reader.statement(
            """
            SELECT lanes.queue, lanes.provider, lanes.target, lanes.kind FROM lanes JOIN queues ON queues.name = lanes.queue
            WHERE lanes.available > 0 AND queues.paused_at IS NULL
            """
        ).all { request.serves(queue: $0.text(0), provider: $0.text(1), target: $0.text(2), kind: $0.text(3)) }.contains(true)
    }
}

extension WriteTransaction {
    func claim(_ request: ClaimRequest) throws -> ClaimRound {
        var lanes = try readyLanes(for: request)
        var claiming = ClaimBuilder(request)
        claiming.round.waits.keep(lanes)
        if let id = request.only { return try claim(only: id, from: lanes, &claiming) }
        for lane in lanes where lane.hasQuarantined {
            // A quarantined job (two workers crashed while running it) runs alone: everything else in this process must end first.
            guard case .open(let opening) = try admit(lane, onlyQuarantined: true, upTo: 9, &claiming) else { continue }
            claiming.round.quarantinedWaits = true
            guard request.isIdle else { return claiming.round }
            claiming.round.jobs = try take(1, from: lane, opening, onlyQuarantined: true, upTo: 9, &claiming)
            claiming.round.runsAlone = !claiming.round.jobs.isEmpty
            guard claiming.round.jobs.isEmpty else { return claiming.round }
            // The job was withdrawn, or waits for an identical job's answer.
            claiming.round.quarantinedWaits = false
        }
        lanes.removeAll { $0.head == nil }
        let openLanes = lanes.filter { request.openCalls[$0.id] != nil }
        var slots = request.slots
        while slots > 0, let best = lanes.indices.min(by: { Self.precedes(lanes[$0], lanes[$1]) }) {
            // Go no further than the next lane's head priority, so that this lane's less urgent jobs do not overtake it.
            let others = lanes.indices.lazy.filter { $0 != best }.compactMap { lanes[$0].head }
            let limit = others.min() ?? 9
            switch try admit(lanes[best], onlyQuarantined: false, upTo: limit, &claiming) {
            case .closed(let cause):
                claiming.round.waits.close(lanes[best], cause, now: now)
                lanes.remove(at: best)
            case .exhausted:
                lanes[best].head = try headPriority(of: lanes[best].id)
                if lanes[best].head == nil { lanes.remove(at: best) }
            case .open(let opening):
                let before = (claiming.withdrawals, claiming.deferred)
                let taken = try claim(from: lanes[best], opening, slots: slots, upTo: limit, &claiming)
                try recordWaits(of: taken.jobs, lanes[best], claiming.round.waits[lanes[best].id])
                if opening.count > taken.calls { claiming.round.waits.open(lanes[best].id) }
                claiming.round.jobs.append(contentsOf: taken.jobs)
                slots -= taken.calls
                lanes[best].served = claiming.latestToken ?? lanes[best].served
                lanes[best].head = slots > 0 ? try headPriority(of: lanes[best].id) : nil
                let isOver = claiming.isTight || (taken.jobs.isEmpty && before == (claiming.withdrawals, claiming.deferred))
                claiming.isTight = false
                if lanes[best].head == nil || isOver { lanes.remove(at: best) }
            }
            guard !claiming.isLong else {
                // Wake the workers, as the next round may find more.
                ledger.ringWork()
                return claiming.round
            }
        }
        // Jobs that join a call that is still collecting jobs need no slot of their own.
        for lane in openLanes where !claiming.filled.contains(lane.id) {
            guard case .open(let opening) = try admit(lane, onlyQuarantined: false, upTo: 9, &claiming) else { continue }
            claiming.round.jobs += try claim(from: lane, opening, slots: 0, upTo: 9, &claiming).jobs
        }
        return claiming.round
    }

    /// Claims one job, if it is ready and one of its targets admits a call now.
    private func claim(only id: Int64, from lanes: [ReadyLane], _ claiming: inout ClaimBuilder) throws -> ClaimRound {
        let found = try statement(
            "SELECT lane_id, priority, (SELECT body FROM requests WHERE job_id = jobs.id) FROM jobs WHERE id = ? AND +state = 'available'"
        ).bind(id).first { (lane: $0.int64(0), priority: $0.int(1), body: $0.text(2)) }
        guard let found, let lane = lanes.first(where: { $0.id == found.lane }) else { return claiming.round }
        let candidate = (id: id, body: found.body)
        switch try admit(lane, candidate, onlyQuarantined: false, upTo: found.priority, &claiming) {
        case .closed(let cause): claiming.round.waits.close(lane, cause, now: now)
        case .exhausted: break
        case .open(let opening):
            claiming.round.jobs = try take(.these([id]), from: lane, opening, &claiming)
            try recordWaits(of: claiming.round.jobs, lane, claiming.round.waits[lane.id])
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
            EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_suspect WHERE lane_id = lanes.id AND state = 'available' AND crashes >= 2),
            queues.last_paused_at, queues.resumed_at, queues.key_id
            FROM lanes JOIN queues ON queues.name = lanes.queue WHERE lanes.available > 0 AND queues.paused_at IS NULL
            """
        ).eachRow { row in
            guard request.serves(queue: row.text(1), provider: row.text(2), target: row.text(3), kind: row.text(4)),
                let target = Target(row.text(3)), let kind = JobKind(rawValue: row.text(4))
            else { return }
            var lane = ReadyLane(
                id: row.int64(0), kind: kind, target: target, head: row.isNull(6) ? nil : row.int(6), hasQuarantined: row.int64(7) == 1,
                served: row.int64(5))
            if let began = row.optionalInt64(8), let ended = row.optionalInt64(9), began <= ended { lane.lastPause = began...ended }
            lane.key = row.optionalInt64(10)
            lanes.append(lane)
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

    /// Claims as many of a lane's next jobs as the admission and the slots allow.
    /// - Returns: the jobs to call for, and how many slots their calls take.
    private func claim(
        from lane: ReadyLane, _ opening: Admitted, slots: Int, upTo priority: Int, _ claiming: inout ClaimBuilder
    ) throws -> (jobs: [ClaimedJob], calls: Int) {
        let before = claiming.followers
        let taken: (jobs: [ClaimedJob], calls: Int)
        if lane.kind.isBatchable, !opening.isProbe, let capacity = claiming.request.capacities[opening.target.provider] {
            taken = try takeTogether(from: lane, opening, capacity, calls: min(slots, opening.count), upTo: priority, &claiming)
        } else {
            let jobs = try take(min(slots, opening.count), from: lane, opening, onlyQuarantined: false, upTo: priority, &claiming)
            taken = (jobs, jobs.count)
        }
        if claiming.followers - before > taken.jobs.count { try sweepFollowers(of: lane, upTo: priority, &claiming) }
        return taken
    }

    /// Claims up to `count` of a lane's jobs and reserves what their calls need. Returns fewer if a budget refuses some, or if an
    /// identical job must be answered first.
    private func take(
        _ count: Int, from lane: ReadyLane, _ opening: Admitted, onlyQuarantined: Bool, upTo priority: Int, _ claiming: inout ClaimBuilder
    ) throws -> [ClaimedJob] {
        let source: ClaimSource = onlyQuarantined ? .quarantined(upTo: priority, count: count) : .next(upTo: priority, count: count)
        return try take(source, from: lane, opening, &claiming)
    }

    func take(
        _ source: ClaimSource, from lane: ReadyLane, _ opening: Admitted, _ claiming: inout ClaimBuilder
    ) throws -> [ClaimedJob] {
        // Never use the token of a shared call here: such a call's token records that it has begun.
        let token = try claiming.token ?? nextToken()
        claiming.token = token
        claiming.latestToken = token
        let taken = try begin(source, token, lane, opening, &claiming)
        let isReserved = try mustReserve(opening, lane, claiming.request.policies)
        guard isReserved || taken.contains(where: { !$0.budgets.isEmpty }) else { return taken.map(\.job) }
        return try taken.compactMap { try prepare($0.job, $0.budgets, opening, opening.estimate, isReserved: isReserved, &claiming) }
    }

    /// Returns whether a lane's calls need reservations: for a probe, a fallback target or a limited one.
    func mustReserve(_ opening: Admitted, _ lane: ReadyLane, _ policies: CallPolicies) throws(SQLFailure) -> Bool {
        if opening.isProbe || opening.target != lane.target || lane.key != nil { return true }
        return try isLimited(opening.target, policies)
    }

    /// Claims a lane's jobs and defers those that wait for a provider batch or that have an identical job under way.
    func begin(
        _ source: ClaimSource, _ token: Int64, _ lane: ReadyLane, _ opening: Admitted, _ claiming: inout ClaimBuilder
    ) throws -> [StartedJob] {
        var started = try start(source, of: lane, token: token, claiming.request, opening)
        guard !started.isEmpty else { return [] }
        if let key = lane.key { for index in started.indices { started[index].job.keyID = key } }
        var budgets: [Int64: Budgets] = [:]
        for one in started where !one.budgets.isEmpty { budgets[one.job.id] = one.budgets }
        return try withoutFollowers(collect(started.map(\.job), &claiming), &claiming).map { job in
            StartedJob(job: job, budgets: budgets[job.id] ?? Budgets())
        }
    }

    /// Reserves what a claimed job's call needs. Returns nil, with the job withdrawn, if its budget does not allow the call.
    func prepare(
        _ job: ClaimedJob, _ budgets: Budgets, _ opening: Admitted, _ expected: CallEstimate?, isReserved: Bool,
        _ claiming: inout ClaimBuilder
    ) throws -> ClaimedJob? {
        guard isReserved || !budgets.isEmpty else { return job }
        var job = job
        var estimate = expected ?? CallEstimate()
        if !budgets.isEmpty {
            if expected == nil { estimate = claiming.request.policies.expected(opening.target, job.kind, job.body) }
            // A cached answer costs nothing.
            if !job.isCached, let refusal = try refusal(of: job, estimate, budgets) {
                claiming.withdrawals -= 1
                if case .notNow = refusal { claiming.isTight = true }
                try withdraw(job, refusal)
                if job.useCache {
                    claiming.leadsNoMore(job.digest)
                    // Do not wake the workers: the next round would find the budget just as tight, and the end of a call in this batch
                    // wakes them.
                    try promoteFollowers(of: job.digest, rings: false)
                }
                return nil
            }
        }
        job.worstCost = estimate.worstCost
        job.isReserved = true
        try reserve(
            Reservation(
                lease: job.lease, call: job.lease.token, target: opening.target, estimate: estimate, isProbe: opening.isProbe,
                batch: budgets.batch == nil ? nil : job.batchID, key: job.keyID))
        return job
    }
}

/// What a worker asks for in one round of claiming.
package struct ClaimRequest: Sendable {
    /// The worker's id.
    package var worker: Int64
    /// The queues that the worker serves; nil means all.
    package var queues: Set<String>?
    /// The providers that the worker has.
    package var providers: Set<String>
    /// Those of them that may not be called in this round.
    package var excluded: Set<String> = []
    /// Why lanes were closed in the worker's last round.
    package var waits = LaneWaits()
    /// The only job that the worker runs; nil for all that it serves.
    package var only: Int64?
    /// How many more calls the worker can run.
    package var slots: Int
    /// The lease's duration in milliseconds.
    package var lease: Int64
    /// Whether nothing runs in the worker's process, so that it may claim a quarantined job.
    package var isIdle: Bool
    /// The configured call policies.
    package var policies: CallPolicies
    /// How much one shared call may hold, by provider. Jobs of other providers have calls of their own.
    package var capacities: [String: CallCapacity] = [:]
    /// The calls that are still collecting jobs in this process, by lane.
    package var openCalls: [Int64: OpenCall] = [:]
    /// How much one provider batch may hold, by provider. A job meant for a batch of any other provider runs as a normal call.
    package var batchCapacities: [String: BatchCapacity] = [:]

    /// Creates a request; the default policies set no limits.
    package init(
        worker: Int64, queues: Set<String>?, providers: Set<String>, slots: Int, lease: Int64, isIdle: Bool,
        policies: CallPolicies = CallPolicies()
    ) {
        self.worker = worker
        self.queues = queues
        self.providers = providers
        self.slots = slots
        self.lease = lease
        self.isIdle = isIdle
        self.policies = policies
    }

    /// Returns whether the worker can call for a lane's jobs, with the provider of their own target or with a fallback's.
    func serves(queue: String, provider: String, target: String, kind: String) -> Bool {
        guard queues?.containsExactly(queue) != false, !excluded.contains(provider) else { return false }
        return policies.hasRoute(of: target, provider: provider, kind: kind, among: providers)
    }
}

/// The result of one round of claiming.
package struct ClaimRound: Sendable {
    /// The claimed jobs, with their leases. Each shared call's jobs have a token of their own; all others share one token.
    package var jobs: [ClaimedJob] = []
    /// Lanes of these jobs with further jobs that could share their calls.
    package var lanesWithMore: Set<Int64> = []
    /// Running jobs of the worker whose cancellation has been requested.
    package var cancellations: [Lease] = []
    /// Whether a quarantined job waits to run alone: the worker should let its other jobs end, and take none until that job has run.
    package var quarantinedWaits = false
    /// Whether the claimed job must run alone.
    package var runsAlone = false
    /// When a skipped lane may admit calls again (wall clock, in milliseconds); nil if none waits for a time.
    package var nextOpening: Int64?
    /// Why lanes are closed, for the next round.
    package var waits = LaneWaits()
}
