import AgentQueueModel

private struct PlannedCall {
    var ids: [Int64] = []
    /// Whether its jobs join the lane's open call.
    var joinsOpenCall = false
}

extension WriteTransaction {
    /// Claims a lane's next jobs for shared calls: as many as fit, in order. The jobs of each call have a token of their own. Jobs beyond
    /// `priority` may join a call that has capacity left, but cannot open one.
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
                // A job that the cache answers is not part of the call.
                estimate.requests = isFirst && !job.isCached ? 1 : 0
                guard let job = try prepare(job, budgets, opening, estimate, isReserved: isReserved, &claiming) else { continue }
                if !job.isCached { isFirst = false }
                jobs.append(job)
            }
            if jobs.count > before, !call.joinsOpenCall { callCount += 1 }
        }
        return (jobs, callCount)
    }

    /// Decides which of a lane's next jobs go into which call.
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

    /// Narrows a plan to what the token and money limits admit: its first call, halved until it fits.
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
                sum.canBeLimited = one.canBeLimited
            }
            // A single job that is larger than a limit is admitted when nothing else is under way, so several such jobs run one after
            // another.
            var gate = try gate(opening.target, policies, estimate: sum)
            if let key = lane.key { gate = gate.and(try self.gate(key: key, estimate: sum)) }
            if try fits(sum, opening.target, policies), try fits(sum, key: lane.key), case .open = gate { break }
            call.ids.removeLast(call.ids.count - call.ids.count / 2)
        }
        return [call]
    }
}

/// What a call that is still collecting jobs already holds.
package struct OpenCall: Sendable, Equatable {
    /// The number of texts.
    package var inputs: Int
    /// The total size of the requests, in bytes.
    package var bytes: Int

    /// The call's target; nil if it follows the lane's next jobs.
    package var route: Target?

    package init(inputs: Int, bytes: Int, route: Target? = nil) {
        self.inputs = inputs
        self.bytes = bytes
        self.route = route
    }
}

extension ClaimStore {
    /// Continues the jobs of a failed shared call with smaller calls, under the same leases. The failed call is recorded as by a
    /// settlement. Each further call is reserved regardless of limits, because they are few and new claims wait for them.
    /// - Parameters:
    ///   - requests: how the call failed for each job; their settlements are ignored.
    ///   - parts: the jobs of each further call.
    /// - Returns: the parts, without jobs whose lease is lost or whose cancellation has been requested; the caller must settle those.
    package func divide(_ requests: [SettleRequest], into parts: [[ClaimedJob]]) async throws -> [[ClaimedJob]] {
        try await write { transaction in
            let held = try transaction.closeShared(requests)
            return try parts.map { try transaction.reserveShared($0, held) }
        }
    }
}

extension WriteTransaction {
    /// Records a shared call and frees its reservations.
    /// - Returns: the reservations of jobs still under their leases, by job id; the value is nil if the job had none.
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
