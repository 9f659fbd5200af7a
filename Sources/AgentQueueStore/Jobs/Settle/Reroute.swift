import AgentQueueModel

extension ClaimStore {
    /// An attempt goes on with another target: what the failed call was is recorded as by ``settle(_:)``, and the next call is set
    /// aside for, at the first candidate that admits one now. The job stays running, under the same lease.
    /// - Parameter request: the failed call; its settlement is not looked at.
    /// - Returns: the job with its new route. Nil, and nothing recorded, where no candidate admits a call now, the lease is lost, or
    ///   the job's cancellation is asked for: then it is to be settled.
    package func reroute(_ request: SettleRequest, to candidates: [Target]) async throws -> ClaimedJob? {
        try await write { try $0.reroute(request, to: candidates) }
    }
}

extension WriteTransaction {
    func reroute(_ request: SettleRequest, to candidates: [Target]) throws -> ClaimedJob? {
        let lease = request.job.lease
        let budgets = try statement(
            """
            SELECT budget_usd, (SELECT budget_usd FROM batches WHERE id = jobs.batch_id) FROM jobs
            WHERE id = ? AND +state = 'running' AND token = ? AND cancel_requested_at IS NULL
            """
        ).bind(lease.jobID).bind(lease.token).first { Budgets(own: $0.optionalDouble(0), batch: $0.optionalDouble(1)) }
        guard let budgets else { return nil }
        // What the failed call says holds for the candidates too: they may be the same provider's.
        let before = resources
        let reservation = try reservation(of: lease)
        try record(request.call, reservation, token: lease.token, message: request.error?.message ?? "", request.policies)
        let charge = request.call.flatMap { Charge($0, isFenced: false) }
        // What it cost is spent before the next is let through; the row follows.
        if let charge { try spend(charge, of: ChargedClaim(request.job)) }
        for target in candidates {
            let estimate = request.policies.expected(target, request.job.kind, request.job.body)
            guard case .open(_, let isProbe) = try gate(target, request.policies, estimate: estimate),
                try budgets.isEmpty || refusal(of: request.job, estimate, budgets, spentBesides: charge?.cost ?? 0) == nil
            else { continue }
            if let reservation { try forget(reservation) }
            if let charge { try write(charge, of: ChargedClaim(request.job)) }
            if let error = error(of: request, charge) { try addError(job: lease.jobID, error) }
            var job = request.job
            job.route = target
            job.isProbe = isProbe
            job.worstCost = estimate.worstCost
            job.isReserved = true
            let call = try nextToken()
            try reserve(
                Reservation(
                    lease: lease, call: call, target: target, estimate: estimate, isProbe: isProbe,
                    batch: budgets.batch == nil ? nil : job.batchID))
            try restartStream(of: lease.jobID, call: call)
            return job
        }
        resources = before
        return nil
    }
}
