import AgentQueueModel

/// The jobs of one call.
private struct PlannedCall {
    var ids: [Int64] = []
    /// Whether it goes along with one that waits for company.
    var joinsOpenCall = false
}

extension WriteTransaction {
    /// Claims a lane's next jobs for calls that they share: as many as fit, in their order. Each call's jobs have a token of their own.
    /// Jobs of a priority that must wait go along where a call has room for them.
    func takeTogether(
        from lane: ReadyLane, _ opening: Admitted, _ capacity: CallCapacity, calls: Int, upTo priority: Int, _ claiming: inout ClaimBuilder
    ) throws -> (jobs: [ClaimedJob], calls: Int) {
        var open = claiming.filled.insert(lane.id).inserted ? claiming.request.openCalls[lane.id] : nil
        if let route = open?.route, route != opening.target { open = nil }
        var planned = try plan(lane, capacity, calls: calls, open: open, upTo: priority, &claiming)
        if opening.estimate != nil { planned = try narrowed(planned, lane, opening, claiming.request.policies) }
        let isReserved = try mustReserve(opening, lane, claiming.request.policies)
        var jobs: [ClaimedJob] = []
        var callCount = 0
        for call in planned where !call.ids.isEmpty {
            let token = try nextToken()
            claiming.latestToken = token
            var isFirst = !call.joinsOpenCall
            let before = jobs.count
            for started in try begin(.these(call.ids), token, lane, opening, &claiming) {
                let (job, budgets) = (started.job, started.budgets)
                guard isReserved || !budgets.isEmpty else {
                    jobs.append(job)
                    continue
                }
                var estimate = claiming.request.policies.expected(opening.target, job.kind, job.body)
                // One that the cache answers is no part of the call.
                estimate.requests = isFirst && !job.isCached ? 1 : 0
                guard let job = try prepare(job, budgets, opening, estimate, isReserved: isReserved, &claiming) else { continue }
                if !job.isCached { isFirst = false }
                jobs.append(job)
            }
            if jobs.count > before, !call.joinsOpenCall { callCount += 1 }
        }
        return (jobs, callCount)
    }

    /// Which of a lane's next jobs go into which call.
    private func plan(
        _ lane: ReadyLane, _ capacity: CallCapacity, calls: Int, open: OpenCall?, upTo priority: Int, _ claiming: inout ClaimBuilder
    ) throws(SQLFailure) -> [PlannedCall] {
        var packing = CallPacking(capacity, calls: calls, inputs: open?.inputs, bytes: open?.bytes ?? 0)
        var planned = [PlannedCall(joinsOpenCall: true)]
        var left = ClaimBuilder.maxJobs - claiming.round.jobs.count
        var hasMore = false
        try statement(
            """
            SELECT id, inputs, bytes, priority FROM jobs INDEXED BY jobs_available
            WHERE lane_id = ? AND state = 'available' AND crashes < 2 ORDER BY priority, id
            """
        ).bind(lane.id).readRows(while: { row in
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
        _ planned: [PlannedCall], _ lane: ReadyLane, _ opening: Admitted, _ policies: CallPolicies
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
}

/// A call that waits for company: what it holds already.
package struct OpenCall: Sendable, Equatable {
    /// Texts.
    package var inputs: Int
    /// Bytes of the requests together.
    package var bytes: Int

    /// Where it goes; nil is wherever the lane's next jobs do.
    package var route: Target?

    /// Makes one.
    package init(inputs: Int, bytes: Int, route: Target? = nil) {
        self.inputs = inputs
        self.bytes = bytes
        self.route = route
    }
}

extension ClaimStore {
    /// The jobs of a call that they shared go on with calls of their own, under the same leases: what the failed call was is recorded
    /// as by a settlement, and each further call is set aside for, whatever the limits say: they are few, and claims wait for them.
    /// - Parameters:
    ///   - requests: how the call failed for each; their settlements are not looked at.
    ///   - parts: the jobs of each further call.
    /// - Returns: the parts, without jobs whose lease is lost or whose cancellation is asked for: those are to be settled.
    package func divide(_ requests: [SettleRequest], into parts: [[ClaimedJob]]) async throws -> [[ClaimedJob]] {
        try await write { transaction in
            let held = try transaction.closeShared(requests)
            return try parts.map { try transaction.reserveShared($0, held) }
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
                "SELECT 1 FROM jobs WHERE id = ? AND +state = 'running' AND token = ? AND cancel_requested_at IS NULL"
            ).bind(lease.jobID).bind(lease.token).first { _ in true }
            guard isOurs == true else { continue }
            held[lease.jobID] = .some(request.job.isReserved ? try reservation(of: lease) : nil)
            let charge = try closeCall(
                of: ChargedClaim(request.job), request.call, message: request.error?.message ?? "", request.policies)
            if let charge, charge.cost > 0, let error = error(of: request, charge) { try addError(job: lease.jobID, error) }
        }
        return held
    }

    fileprivate func reserveShared(_ jobs: [ClaimedJob], _ held: [Int64: Reservation?]) throws -> [ClaimedJob] {
        var call: Int64?
        return try jobs.compactMap { job in
            guard let earlier = held[job.id] else { return nil }
            guard var reservation = earlier else { return job }
            reservation.estimate.requests = call == nil ? 1 : 0
            reservation.isProbe = false
            let number = try call ?? nextToken()
            call = number
            reservation.call = number
            try reserve(reservation)
            return job
        }
    }
}
