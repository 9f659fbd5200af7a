import AgentQueueModel

extension MaintenanceStore {
    /// Takes back, in slices, the jobs of dead workers (their byte is unlocked, or they belong to another boot) and jobs whose lease has
    /// expired.
    ///
    /// If the call had begun, the attempt counts, a job without attempts left is discarded, and the call is charged as doubtful, since it
    /// may have been paid for. If it had not begun, the attempt and the reservation are given back. Each job is taken back under the token
    /// that it was found with, so an owner that settles in between wins.
    ///
    /// An expired lease proves little if its owner lives and could not have renewed it: see ``WriteHealth``.
    /// - Parameters:
    ///   - except: workers to leave out, namely those of this process.
    ///   - heartbeat: how long living owners have to renew their leases after this process was unable to write, in ms.
    ///   - policies: estimate what a call may have cost for which nothing was reserved.
    /// - Returns: how many jobs were taken back.
    @discardableResult
    package func rescue(
        except: Set<Int64> = [], heartbeat: Int64 = 0, policies: CallPolicies = CallPolicies(), slice: Int = 100
    ) async throws -> Int {
        var rescued = 0
        for worker in try workersToRescue(heartbeat).filter({ !except.contains($0.id) }) {
            let begun = worker.isOfThisBoot ? locks.begunCalls(of: worker.id) : nil
            // Kill the dead worker's child processes first. They would otherwise continue its calls alongside the next attempts, and both
            // would be paid for.
            if worker.isDead, worker.isOfThisBoot {
                _ = await ChildProcessRegister.kill(locks.children(of: worker.id), within: Self.longestWaitForChildren)
            }
            var calls: Set<Int64> = []
            while true {
                let noted = calls
                let (count, shared) = try await write { try $0.rescue(worker, begun: begun, slice: slice, noted: noted, policies) }
                rescued += count
                calls = shared
                if count < slice { break }
            }
        }
        return rescued
    }

    /// How long a rescue waits for killed processes to exit, in milliseconds. A process blocked on disk I/O does not react to signals.
    private static let longestWaitForChildren: Int64 = 5_000

    /// Returns the registered workers to rescue, and ids without a registration under which jobs still run.
    private func workersToRescue(_ heartbeat: Int64) throws -> [DeadWorker] {
        try read { try workersToRescue($0, heartbeat: heartbeat) }
    }

    func workersToRescue(_ reader: ReadConnection, heartbeat: Int64) throws -> [DeadWorker] {
        let bootID = clock.bootID()
        let boot = clock.boot()
        let health = store.health
        health.noteLook(at: boot, heartbeat: heartbeat)
        // While writes fail, an attempt is what shows that they no longer do.
        let decidesByLease = health.isFailing || health.isSteady(at: boot, heartbeat: heartbeat)
        let workers = try reader.statement(
            """
            SELECT id, boot_id, (SELECT min(lease_expires_at) FROM jobs INDEXED BY jobs_running
                                 WHERE state = 'running' AND lease_expires_at IS NOT NULL AND worker_id = workers.id)
            FROM workers
            UNION ALL SELECT worker_id, ?, min(lease_expires_at) FROM jobs INDEXED BY jobs_running
            WHERE state = 'running' AND lease_expires_at IS NOT NULL AND worker_id NOT IN (SELECT id FROM workers)
                    GROUP BY worker_id
            """
        ).bind(bootID).all { (id: $0.int64(0), bootID: $0.text(1), firstDeadline: $0.optionalInt64(2)) }
        return workers.compactMap { worker in
            let isOfThisBoot = worker.bootID == bootID
            if !isOfThisBoot || !locks.isAlive(worker: worker.id) {
                return DeadWorker(id: worker.id, isOfThisBoot: isOfThisBoot, isDead: true)
            }
            guard let deadline = worker.firstDeadline else {
                // Only the registration is left.
                return locks.isLost(worker: worker.id, now: boot) ? DeadWorker(id: worker.id, isOfThisBoot: true, isDead: true) : nil
            }
            guard deadline < boot, decidesByLease else { return nil }
            return DeadWorker(id: worker.id, isOfThisBoot: true, isDead: false, heartbeat: heartbeat)
        }
    }
}

/// A worker whose jobs are to be taken back: all of them if it is dead, otherwise those whose lease has expired.
struct DeadWorker: Sendable {
    var id: Int64
    var isOfThisBoot: Bool
    var isDead: Bool
    /// How long it has to renew its leases after this process was unable to write, in ms.
    var heartbeat: Int64 = 0
}

extension WriteTransaction {
    /// Takes back one slice of a worker's jobs. Removes a dead worker once it has no jobs left.
    /// - Parameter noted: the tokens of shared calls that have already been counted.
    /// - Returns: how many jobs were found, and the tokens of the shared calls counted by now.
    func rescue(
        _ worker: DeadWorker, begun: Set<Int64>?, slice: Int, noted: Set<Int64>, _ policies: CallPolicies = CallPolicies()
    ) throws -> (count: Int, shared: Set<Int64>) {
        guard try worker.isDead || mayDecideByLease(heartbeat: worker.heartbeat) else { return (0, noted) }
        var shared = noted
        let jobs = try statement(
            """
            SELECT id, token, attempt, max_attempts, crashes, lane_id, batch_id, cancel_requested_at FROM jobs INDEXED BY jobs_running
            WHERE state = 'running' AND worker_id = ? AND lease_expires_at < ? LIMIT ?
            """
        ).bind(worker.id).bind(worker.isDead ? Int64.max : clock.boot()).bind(slice).all {
            LostJob(
                lease: Lease(jobID: $0.int64(0), token: $0.int64(1)), attempt: $0.int(2), maxAttempts: $0.int(3), crashes: $0.int(4),
                lane: $0.int64(5), batch: $0.optionalInt64(6), isCancelled: !$0.isNull(7))
        }
        for job in jobs {
            let isCompanion = begun?.contains(-job.lease.token) == true && !shared.insert(job.lease.token).inserted
            try rescue(job, from: worker, hadBegun: begun.map { job.hadBegun(by: $0) } ?? true, isCompanion: isCompanion, policies)
        }
        if worker.isDead, jobs.count < slice {
            try statement("DELETE FROM workers WHERE id = ?").bind(worker.id).run()
        }
        return (jobs.count, shared)
    }

    /// Whether an expired lease tells that its owner, which lives, no longer renews it.
    /// - Parameter heartbeat: how long owners have to renew their leases after this process was unable to write, in ms; 0 if they need none.
    func mayDecideByLease(heartbeat: Int64) throws -> Bool {
        guard heartbeat > 0 else { return true }
        // Change something: only that shows that writing is possible again, and begins the heartbeat's time.
        if isFirstAfterTrouble { try statement("UPDATE counters SET value = value WHERE name = 'token'").run() }
        return !isFirstAfterTrouble && health.isSteady(at: clock.boot(), heartbeat: heartbeat)
    }

    /// - Parameter isCompanion: whether the job's call was shared and has already been counted.
    private func rescue(
        _ job: LostJob, from worker: DeadWorker, hadBegun: Bool, isCompanion: Bool, _ policies: CallPolicies
    ) throws {
        let state: JobState =
            if job.isCancelled { .cancelled } else if hadBegun && job.attempt >= job.maxAttempts { .discarded } else { .available }
        // A worker that is alive but slow was not killed by the job.
        let crashed = hadBegun && worker.isDead && worker.isOfThisBoot
        let isEnded = try endLost(job.lease, lane: job.lane, batch: job.batch, to: state, counts: hadBegun, crashed: crashed)
        guard isEnded else { return }
        let charge = try endLostCall(of: job, hadBegun: hadBegun, isCompanion: isCompanion, policies)
        if hadBegun || state != .available {
            let reason = worker.isDead ? "its worker died" : "its worker did not renew the lease"
            try addError(
                job: job.lease.jobID,
                JobError(
                    attempt: job.attempt, at: now, failure: .crashed, message: "\(reason) (worker \(worker.id))",
                    target: charge?.target.description, cost: charge.map(\.knownCost) ?? 0))
        }
        if state.isFinal { try recordFinish(of: job.lease.jobID, state) } else { try promoteFollowers(ofJob: job.lease.jobID) }
    }

    /// Frees a lost claim's reservation. If the call had begun, charges the worst case: the reserved cost, or what would have been reserved
    /// for the request if money were limited. (Storing that with each claim would cost every call something for the few that are lost.)
    private func endLostCall(of job: LostJob, hadBegun: Bool, isCompanion: Bool, _ policies: CallPolicies) throws -> Charge? {
        let reservation = try reservation(of: job.lease)
        if let reservation { try forget(reservation) }
        guard hadBegun else {
            try record(nil, reservation, token: job.lease.token, message: "", CallPolicies())
            return nil
        }
        let asked = try statement(
            "SELECT target, kind, (SELECT body FROM requests WHERE job_id = ?) FROM lanes WHERE id = ?"
        ).bind(job.lease.jobID).bind(job.lane).first { (target: $0.text(0), kind: $0.text(1), body: $0.optionalText(2) ?? "") }
        guard let target = reservation?.target ?? asked.flatMap({ Target($0.target) }) else { return nil }
        var cost = reservation?.estimate.worstCost
        if cost ?? 0 == 0, let asked, let kind = JobKind(rawValue: asked.kind) {
            cost = policies.expected(target, kind, asked.body).knownCost
        }
        // `crashed` says nothing about the provider: a probe is abandoned, and a pause stays.
        let report = CallReport(target: target, calls: 0, failure: .crashed, isMaybePaid: true, maybeCost: cost)
        if reservation != nil { try record(report, reservation, token: job.lease.token, message: "", CallPolicies()) }
        let charge = Charge(doubtful: target, cost: cost, calls: isCompanion ? 0 : 1)
        if !isCompanion { ledger.fail(lane: job.lane, target: target, isPaid: false) }
        var claim = ChargedClaim(lease: job.lease, lane: job.lane, batch: job.batch, attempt: job.attempt)
        claim.key = reservation?.key
        try self.charge(charge, to: claim)
        return charge
    }
}

/// A running job whose worker died or let the lease expire.
private struct LostJob {
    var lease: Lease
    var attempt: Int
    var maxAttempts: Int
    var crashes: Int
    var lane: Int64
    var batch: Int64?
    var isCancelled: Bool

    /// Returns whether the job's call had begun. A call is recorded by its job's id, and a shared call by its token, negated.
    func hadBegun(by calls: Set<Int64>) -> Bool { calls.contains(lease.jobID) || calls.contains(-lease.token) }
}
