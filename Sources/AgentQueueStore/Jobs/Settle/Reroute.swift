import AgentQueueModel

extension ClaimStore {
    /// Continues an attempt with another target. The failed call is recorded as by ``settle(_:)``, and the next call is reserved at the
    /// first candidate that admits one now. The job stays running under the same lease.
    /// - Parameter request: the failed call; its settlement is ignored.
    /// - Returns: the job with its new route. Nil, with nothing recorded, if no candidate admits a call now, the lease is lost, or the
    ///   job's cancellation has been requested; the caller must then settle the job.
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
        // Record the failed call before asking the candidates, since they may belong to the same provider.
        let before = resources
        let reservation = try reservation(of: lease)
        try record(request.call, reservation, token: lease.token, message: request.error?.message ?? "", request.policies)
        let charge = request.call.flatMap { Charge($0, isFenced: false) }
        // Spend the cost before admitting the next call. The row is written later.
        if let charge { try spend(charge, of: ChargedClaim(request.job)) }
        for target in candidates {
            let estimate = request.policies.expected(target, request.job.kind, request.job.body)
            var gate = try gate(target, request.policies, estimate: estimate)
            if let key = request.job.keyID { gate = gate.and(try self.gate(key: key, estimate: estimate)) }
            guard case .open(_, let isProbe) = gate,
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
                    batch: budgets.batch == nil ? nil : job.batchID, key: job.keyID))
            try restartStream(of: lease.jobID, call: call)
            return job
        }
        resources = before
        return nil
    }
}
