import AgentQueueModel

extension MaintenanceStore {
    /// Takes back the jobs of workers that have died (their byte is free, or they belong to another boot) and those whose
    /// lease has ended, in slices.
    ///
    /// An attempt whose call had begun counts, and a job that has none left is discarded; the call may have been paid for, and is
    /// charged as doubtful. A call that had not begun gives back its attempt, and what was set aside for it. Each job is taken back under the token it was found with, so that an owner that settles in between
    /// wins.
    /// - Parameter except: workers not to look at: those of this process.
    /// - Returns: how many jobs were taken back.
    @discardableResult
    package func rescue(except: Set<Int64> = [], slice: Int = 100) async throws -> Int {
        var rescued = 0
        for worker in try workersToRescue().filter({ !except.contains($0.id) }) {
            let begun = worker.isOfThisBoot ? locks.begunCalls(of: worker.id) : nil
            // A killed worker's programs would go on with its calls beside the next attempts, and both be paid for.
            if worker.isDead, worker.isOfThisBoot {
                _ = await ChildProcessRegister.kill(locks.children(of: worker.id), within: Self.longestWaitForChildren)
            }
            var calls: Set<Int64> = []
            while true {
                let noted = calls
                let (count, shared) = try await write { try $0.rescue(worker, begun: begun, slice: slice, noted: noted) }
                rescued += count
                calls = shared
                if count < slice { break }
            }
        }
        return rescued
    }

    /// How long a rescue waits for killed programs to be gone, in ms: they can be in a disk's hands, out of reach of signals.
    private static let longestWaitForChildren: Int64 = 5_000

    /// The registered workers, and those whose registration is gone although jobs still run under their number.
    private func workersToRescue() throws -> [DeadWorker] {
        try read(workersToRescue)
    }

    func workersToRescue(_ reader: ReadConnection) throws -> [DeadWorker] {
        let bootID = clock.bootID()
        let boot = clock.boot()
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
            guard let deadline = worker.firstDeadline, deadline < boot else { return nil }
            return DeadWorker(id: worker.id, isOfThisBoot: true, isDead: false)
        }
    }
}

/// A worker whose jobs are to be taken back: all of them if it is dead, else those whose lease has ended.
struct DeadWorker: Sendable {
    var id: Int64
    var isOfThisBoot: Bool
    var isDead: Bool
}

extension WriteTransaction {
    /// Takes back one slice of a worker's jobs, and forgets a dead worker that has none left.
    /// - Parameter noted: the tokens of shared calls that are counted already.
    /// - Returns: how many jobs, and the tokens of the shared calls that are counted now.
    func rescue(_ worker: DeadWorker, begun: Set<Int64>?, slice: Int, noted: Set<Int64>) throws -> (count: Int, shared: Set<Int64>) {
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
            try rescue(job, from: worker, hadBegun: begun.map { job.hadBegun(by: $0) } ?? true, isCompanion: isCompanion)
        }
        if worker.isDead, jobs.count < slice {
            try statement("DELETE FROM workers WHERE id = ?").bind(worker.id).run()
        }
        return (jobs.count, shared)
    }

    /// - Parameter isCompanion: whether its call was shared, and is counted already.
    private func rescue(_ job: LostJob, from worker: DeadWorker, hadBegun: Bool, isCompanion: Bool) throws {
        let state: JobState =
            if job.isCancelled { .cancelled } else if hadBegun && job.attempt >= job.maxAttempts { .discarded } else { .available }
        // A worker that is only slow has not been killed by its job.
        let crashed = hadBegun && worker.isDead && worker.isOfThisBoot
        let isEnded = try endLost(job.lease, lane: job.lane, batch: job.batch, to: state, counts: hadBegun, crashed: crashed)
        guard isEnded else { return }
        let charge = try endLostCall(of: job, hadBegun: hadBegun, isCompanion: isCompanion)
        if hadBegun || state != .available {
            let reason = worker.isDead ? "its worker died" : "its worker did not renew the lease"
            try addError(
                job: job.lease.jobID,
                JobError(
                    attempt: job.attempt, at: now, failure: .crashed, message: "\(reason) (worker \(worker.id))",
                    target: charge?.target.description, cost: charge?.cost ?? 0))
        }
        if state.isFinal { try recordFinish(of: job.lease.jobID, state) } else { try promoteFollowers(ofJob: job.lease.jobID) }
    }

    /// What a lost claim's call had taken: if it had begun, it may have been paid for, at worst with what was set aside.
    private func endLostCall(of job: LostJob, hadBegun: Bool, isCompanion: Bool) throws -> Charge? {
        let reservation = try reservation(of: job.lease)
        if let reservation { try forget(reservation) }
        guard hadBegun else {
            try record(nil, reservation, token: job.lease.token, message: "", CallPolicies())
            return nil
        }
        let name = try statement("SELECT target FROM lanes WHERE id = ?").bind(job.lane).first { $0.text(0) }
        guard let target = reservation?.target ?? name.flatMap({ Target($0) }) else { return nil }
        let cost = reservation?.estimate.worstCost ?? 0
        // `crashed` says nothing about the provider: a probe is given up, and a pause stays.
        let report = CallReport(target: target, calls: 0, failure: .crashed, isMaybePaid: true, maybeCost: cost)
        if reservation != nil { try record(report, reservation, token: job.lease.token, message: "", CallPolicies()) }
        let charge = Charge(doubtful: target, cost: cost, calls: isCompanion ? 0 : 1)
        try self.charge(charge, to: ChargedClaim(lease: job.lease, lane: job.lane, batch: job.batch, attempt: job.attempt))
        return charge
    }
}

/// A running job that its worker has lost.
private struct LostJob {
    var lease: Lease
    var attempt: Int
    var maxAttempts: Int
    var crashes: Int
    var lane: Int64
    var batch: Int64?
    var isCancelled: Bool

    /// Whether its call is among those that had begun: noted by the job, or, of jobs that share one, by their token.
    func hadBegun(by calls: Set<Int64>) -> Bool { calls.contains(lease.jobID) || calls.contains(-lease.token) }
}
