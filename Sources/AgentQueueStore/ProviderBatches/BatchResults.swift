import AgentQueueModel

extension ProviderBatchStore {
    /// Ends the attempts of a batch's jobs with the results of their items: result, usage, cache entry, charge and next state, in slices
    /// of one transaction each; requires ownership. A job leaves the batch in the transaction that writes its answer, so reading the
    /// results again after a crash changes nothing.
    /// - Parameter requests: made from each ``BatchMember``. The cost of a job that no longer waits is charged all the same.
    /// - Returns: the outcome of each request, in order; nil for a job that had already left. Nil as a whole if ownership is lost.
    package func settle(_ requests: [SettleRequest], of batch: ProviderBatch) async throws -> [SettleResult?]? {
        guard let owner = batch.owner else { return nil }
        var results: [SettleResult?] = []
        var rest = requests[...]
        while !rest.isEmpty {
            let slice = Array(rest.prefix(Self.settleSlice))
            rest = rest.dropFirst(Self.settleSlice)
            let settled = try await write { transaction -> [SettleResult?]? in
                guard try transaction.holds(batch.id, token: owner.token) else { return nil }
                return try slice.map { try transaction.settleItem($0, of: batch.id) }
            }
            guard let settled else { return nil }
            results += settled
        }
        return results
    }

    /// How many items one transaction settles.
    private static let settleSlice = 50
}

extension WriteTransaction {
    fileprivate func settleItem(_ request: SettleRequest, of batch: Int64) throws -> SettleResult? {
        let job = request.job
        guard let member = try leaveBatch(batch, job.id) else { return nil }
        let reply = request.result?.reply.text
        if let result = request.result, let reply {
            if let entry = request.cache { try cache(entry, result: result, reply: reply) }
            ledger.pay(lane: member.lane, target: job.route, usage: result.usage, cost: result.cost)
            if job.useCache { ledger.count(.cacheMisses) }
        }
        let state = member.isGivenUp ? nil : try endItem(request)
        if let call = request.call, let charge = Charge(call, isFenced: state == nil) {
            let group = try statement("SELECT batch_id FROM jobs WHERE id = ?").bind(job.id).first { $0.optionalInt64(0) } ?? nil
            var claim = ChargedClaim(lease: job.lease, lane: member.lane, batch: group, attempt: job.attempt, isReserved: false)
            claim.key = try key(ofLane: member.lane)
            try self.charge(charge, to: claim)
            if let state { try note(request, state, charge) }
        } else if let state {
            try note(request, state, nil)
        }
        if let digest = member.digest {
            if let result = request.result, let reply {
                // A low limit, because the transaction settles many items.
                try fanOut(digest, SharedResult(reply: reply, result), most: 2)
            } else {
                try promoteFollowers(of: digest)
            }
        }
        guard let state else { return .fenced }
        if state.isFinal { try recordFinish(of: job.id, state) }
        return .settled(state)
    }

    /// Writes the answer, or the error.
    private func note(_ request: SettleRequest, _ state: JobState, _ charge: Charge?) throws {
        if state == .completed, let result = request.result {
            try writeResult(
                of: request.job.id, reply: result.reply.text, by: result.answeredBy, target: result.target, usage: result.usage,
                cost: result.cost, latency: result.latency)
        }
        if let error = error(of: request, charge) { try addError(job: request.job.id, error) }
    }
}
