import JobModel

extension QueueStore {
    /// The jobs of a call that they shared go on with calls of their own, under the same leases: what the failed call was is recorded
    /// as by a settlement, and each further call is set aside for, whatever the limits say: they are few, and claims wait for them.
    /// - Parameters:
    ///   - requests: how the call failed for each; their settlements are not looked at.
    ///   - parts: the jobs of each further call.
    /// - Returns: the parts, without jobs whose lease is lost or whose cancellation is asked for: those are to be settled.
    public func divide(_ requests: [SettleRequest], into parts: [[ClaimedJob]]) async throws -> [[ClaimedJob]] {
        try await write { transaction in
            let held = try transaction.closeShared(requests)
            return try parts.map { try transaction.holdShared($0, held) }
        }
    }
}

extension WriteTransaction {
    /// Records what a shared call was, and frees what was set aside for it.
    /// - Returns: what was set aside for each job that is still under its lease, by its id; nil where nothing was.
    fileprivate func closeShared(_ requests: [SettleRequest]) throws -> [Int64: Reservation?] {
        var held: [Int64: Reservation?] = [:]
        for request in requests {
            let lease = request.job.lease
            let isOurs = try statement(
                "SELECT 1 FROM jobs WHERE id = ? AND state = 'running' AND token = ? AND cancel_requested_at IS NULL"
            ).bind(lease.jobID).bind(lease.token).first { _ in true }
            guard isOurs == true else { continue }
            held[lease.jobID] = .some(request.job.isHeld ? try reservation(of: lease) : nil)
            let charge = try closeCall(
                of: ChargedClaim(request.job), request.call, message: request.error?.message ?? "", request.policies)
            if let charge, charge.cost > 0, let error = error(of: request, charge) { try addError(job: lease.jobID, error) }
        }
        return held
    }

    fileprivate func holdShared(_ jobs: [ClaimedJob], _ held: [Int64: Reservation?]) throws -> [ClaimedJob] {
        var call: Int64?
        return try jobs.compactMap { job in
            guard let earlier = held[job.id] else { return nil }
            guard var reservation = earlier else { return job }
            reservation.estimate.requests = call == nil ? 1 : 0
            reservation.isProbe = false
            let number = try call ?? nextToken()
            call = number
            reservation.call = number
            try hold(reservation)
            return job
        }
    }
}
