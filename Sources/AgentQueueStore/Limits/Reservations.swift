import AgentQueueModel

/// What is reserved for a call under way: a row of `reservations`.
struct Reservation: Equatable {
    var lease: Lease
    /// The call's number, from the same counter as tokens.
    var call: Int64
    var target: Target
    var estimate: CallEstimate
    var isProbe: Bool
    /// The batch whose budget reserves the worst cost.
    var batch: Int64?
    /// The key whose limits count it.
    var key: Int64?
}

extension Target {
    /// The names of the quotas that apply to a call of this target: its provider's and its own.
    var resourceNames: [String] { [provider, description] }
}

extension WriteTransaction {
    // MARK: Rows in memory

    /// Reads and changes a quota in memory.
    @discardableResult
    func withQuota<T>(_ name: String, _ body: (inout ProviderQuota) -> T) throws(SQLFailure) -> T {
        if resources.entries[name] == nil {
            resources.entries[name] = try storedQuota(name)
        }
        // Change the entry in place: a copy would copy the breaker's slots on every call.
        return body(&resources.entries[name, default: QuotaLedger.Entry(stored: nil, current: ProviderQuota(name: name))].current)
    }

    private func storedQuota(_ name: String) throws(SQLFailure) -> QuotaLedger.Entry {
        let entry = try statement(
            """
            SELECT running, waiting_since, paused_until, pause_class, pause_reason, pauses, parks, trial_after, trials, requests, tokens,
            input_tokens, output_tokens, minute, minute_calls, last_minute_calls, breaker, breaker_until, breaker_probe,
            breaker_consecutive, breaker_slots, day, spent_usd, reserved_usd, error_class, error_message, error_at, congestion, updated_at
            FROM resources WHERE name = ?
            """
        ).bind(name).first { row in
            let stored = ProviderQuota(row, name: name)
            var entry = QuotaLedger.Entry(stored: stored, current: stored)
            // Times that are corrected here are written corrected.
            entry.current.believeTimes(written: row.int64(28), now: now)
            return entry
        }
        return entry ?? QuotaLedger.Entry(stored: nil, current: ProviderQuota(name: name))
    }

    /// Reads and changes a batch's budget in memory.
    @discardableResult
    func withBudget<T>(of batch: Int64, _ body: (inout QuotaLedger.Budget) -> T) throws(SQLFailure) -> T {
        var budget: (stored: QuotaLedger.Budget, current: QuotaLedger.Budget)
        if let known = resources.budgets[batch] {
            budget = known
        } else {
            let stored =
                try statement("SELECT budget_usd, spent_usd, reserved_usd FROM batches WHERE id = ?").bind(batch).first {
                    QuotaLedger.Budget(limit: $0.optionalDouble(0), spent: $0.double(1), reserved: $0.double(2))
                } ?? QuotaLedger.Budget(limit: nil, spent: 0, reserved: 0)
            budget = (stored, stored)
        }
        let value = body(&budget.current)
        resources.budgets[batch] = budget
        return value
    }

    // MARK: Before a call

    /// Returns whether its provider's quota and its own admit calls of a target. If they are closed until a call ends, that end wakes the
    /// workers.
    /// - Parameter estimate: the expected use of one call; if nil, token and money limits are not checked.
    func gate(_ target: Target, _ policies: CallPolicies, estimate: CallEstimate?) throws(SQLFailure) -> Admission {
        let now = now
        var both = Admission.open(count: .max, isProbe: false)
        for name in target.resourceNames {
            let limits = policies.limits(of: name)
            let gate = try withQuota(name) { resource in
                resource.configure(limits, now: now)
                resource.followRefusals(limits, now: now)
                let gate = resource.gate(limits, estimate: estimate, now: now)
                if case .closed(let closure) = gate, closure.until == nil || (limits.usdPerDay != nil && resource.reserved > 0) {
                    resource.waitingSince = resource.waitingSince ?? now
                }
                return gate
            }
            both = both.and(gate)
        }
        return both
    }

    /// Returns whether calls of a target must be admitted one by one.
    func needsEstimate(_ target: Target, _ policies: CallPolicies) throws(SQLFailure) -> Bool {
        for name in target.resourceNames {
            let limits = policies.limits(of: name)
            if try withQuota(name, { $0.needsEstimate(limits) }) { return true }
        }
        return false
    }

    /// Returns whether a call's expected tokens fit into a full minute's limits of its provider and target.
    func fits(_ estimate: CallEstimate, _ target: Target, _ policies: CallPolicies) throws(SQLFailure) -> Bool {
        for name in target.resourceNames {
            let limits = policies.limits(of: name)
            if try withQuota(name, { !$0.fits(estimate, limits) }) { return false }
        }
        return true
    }

    /// Returns whether calls of a target need a reservation.
    func isLimited(_ target: Target, _ policies: CallPolicies) throws(SQLFailure) -> Bool {
        for name in target.resourceNames {
            let limits = policies.limits(of: name)
            if try withQuota(name, { $0.isLimited(limits) }) { return true }
        }
        return false
    }

    /// Reserves what a call needs.
    func reserve(_ reservation: Reservation) throws(SQLFailure) {
        let now = now
        for name in reservation.target.resourceNames {
            try withQuota(name) { $0.reserve(reservation.call, reservation.estimate, isProbe: reservation.isProbe, now: now) }
        }
        if let key = reservation.key {
            try withQuota(ofKey: key) { $0.reserve(reservation.call, reservation.estimate, isProbe: false, now: now) }
        }
        if let batch = reservation.batch { try withBudget(of: batch) { $0.reserved += reservation.estimate.worstCost } }
        try statement(
            """
            INSERT INTO reservations (job_id, token, call, target, input_tokens, output_tokens, worst_usd, is_probe, batch_id, requests,
            key_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).bind(reservation.lease.jobID).bind(reservation.lease.token).bind(reservation.call).bind(reservation.target.description)
            .bind(reservation.estimate.inputTokens).bind(reservation.estimate.outputTokens).bind(reservation.estimate.worstCost)
            .bind(reservation.isProbe).bind(reservation.batch).bind(reservation.estimate.requests)
            .bind(reservation.key).run()
    }

    // MARK: After a call

    /// Returns the reservation of a claim's call; nil if there is none.
    func reservation(of lease: Lease) throws(SQLFailure) -> Reservation? {
        let row = try statement(
            """
            SELECT call, target, input_tokens, output_tokens, worst_usd, is_probe, batch_id, requests, key_id FROM reservations
            WHERE job_id = ? AND token = ?
            """
        ).bind(lease.jobID).bind(lease.token).first { row in
            var estimate = CallEstimate(inputTokens: row.int(2), outputTokens: row.int(3), worstCost: row.double(4))
            estimate.requests = row.int(7)
            return (row.int64(0), row.text(1), estimate, row.int64(5) == 1, row.optionalInt64(6), row.optionalInt64(8))
        }
        guard let (call, name, estimate, isProbe, batch, key) = row, let target = Target(name) else { return nil }
        return Reservation(lease: lease, call: call, target: target, estimate: estimate, isProbe: isProbe, batch: batch, key: key)
    }

    /// Deletes the reservation's row only; the quotas change in `record`.
    func forget(_ reservation: Reservation) throws(SQLFailure) {
        try statement("DELETE FROM reservations WHERE job_id = ? AND token = ?")
            .bind(reservation.lease.jobID).bind(reservation.lease.token).run()
    }

    /// Applies the end of a call to the quotas of its provider and target, in memory: releases the reservation, counts the use, adopts
    /// reported limits and informs the breaker.
    /// - Parameters:
    ///   - report: the call; nil if none was made.
    ///   - message: why the call failed, as a sentence.
    func record(
        _ report: CallReport?, _ reservation: Reservation?, token: Int64, message: String, _ policies: CallPolicies
    ) throws(SQLFailure) {
        let now = now
        let wasMade = report.map { !$0.neverBegan } ?? false
        // Nothing was sent, but that says something about the provider.
        let wasUnreachable = report?.failure == .unreachable && report?.isMaybePaid == false
        if let reservation {
            for name in reservation.target.resourceNames {
                let rings = try withQuota(name) { resource in
                    if !wasMade || wasUnreachable { resource.giveBack(reservation.call, reservation.estimate, now: now) }
                    return resource.release(reservation.call, reservation.estimate)
                }
                if rings { ledger.ringWork() }
            }
            if let key = reservation.key {
                let rings = try withQuota(ofKey: key) { quota in
                    if !wasMade || wasUnreachable { quota.giveBack(reservation.call, reservation.estimate, now: now) }
                    return quota.release(reservation.call, reservation.estimate)
                }
                if rings { ledger.ringWork() }
            }
            if let batch = reservation.batch {
                ledger.ringWork()
                try withBudget(of: batch) { budget in
                    budget.reserved -= reservation.estimate.worstCost
                    // Rounding can leave a tiny remainder.
                    if budget.reserved < 1e-9 { budget.reserved = 0 }
                }
            }
        }
        guard let report, wasMade else { return }
        let estimate = wasUnreachable ? nil : reservation?.estimate
        let used = report.isMaybePaid && estimate != nil ? nil : report.usage
        if let key = reservation?.key {
            try withQuota(ofKey: key) { quota in
                if report.isCompanion, estimate?.requests == 1 { quota.giveBackRequest(now: now) }
                quota.adjust(estimate, used: used, now: now)
            }
        }
        guard !report.isCompanion else {
            for name in report.target.resourceNames {
                try withQuota(name) { resource in
                    if estimate?.requests == 1 { resource.giveBackRequest(now: now) }
                    resource.adjust(estimate, used: used, now: now)
                }
            }
            return
        }
        let wasTaken = report.failure != .rateLimited && (report.calls > 0 || report.failure.map(\.showsHealth) ?? true == true)
        var result = CallResult(
            call: reservation?.call ?? token, failure: report.failure, retryAfter: report.retryAfter, message: message, isConcerned: false,
            latestToken: try report.failure?.mayPause == true ? latestToken() : 0)
        if report.failure == .rateLimited { result.underWay = try callsUnderWay(of: report.target, .requests) }
        for (name, scope) in zip(report.target.resourceNames, [FailureScope.provider, .target]) {
            result.isConcerned = report.scope == scope
            try withQuota(name) { [result] resource in
                resource.adjust(estimate, used: used, now: now)
                if wasTaken { resource.countTaken(now: now) }
                resource.record(result, policies.breaker, now: now)
            }
        }
        if let limits = report.limits { try observe(limits, of: report.target, policies) }
    }

    /// Adopts the rate limits that a response reports for its target.
    private func observe(_ limits: ObservedLimits, of target: Target, _ policies: CallPolicies) throws(SQLFailure) {
        let now = now
        let name = target.description
        let configured = policies.limits(of: name)
        let windows = [limits.requests, limits.tokens, limits.inputTokens, limits.outputTokens]
        for (rate, window) in zip(Rate.allCases, windows) {
            guard let window else { continue }
            let isNew = try withQuota(name) { $0[rate] == nil }
            let underWay = try isNew ? callsUnderWay(of: target, rate) : 0
            try withQuota(name) { $0.observe(window, rate, configured: configured[rate], underWay: underWay, now: now) }
        }
    }

    /// Returns how much the calls under way use of a limit that was not known when they began.
    private func callsUnderWay(of target: Target, _ rate: Rate) throws(SQLFailure) -> Double {
        let name = target.description
        switch rate {
        case .requests:
            let lanes = try statement("SELECT id, running, kind <> 'generate' FROM lanes WHERE target = ?").bind(name).all {
                (id: $0.int64(0), running: $0.int64(1), sharesCalls: $0.int64(2) == 1)
            }
            var calls: Int64 = 0
            for lane in lanes {
                // The jobs of a shared call have the same token.
                calls +=
                    lane.sharesCalls
                    ? try statement(
                        """
                        SELECT count(DISTINCT token) FROM jobs INDEXED BY jobs_running
                        WHERE state = 'running' AND lease_expires_at IS NOT NULL AND lane_id = ?
                        """
                    )
                    .bind(lane.id).first { $0.int64(0) } ?? 0
                    : max(0, lane.running + ledger.change(of: .running, in: lane.id))
            }
            return Double(calls)
        case .tokens, .inputTokens, .outputTokens:
            let estimate = try statement(
                "SELECT coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0) FROM reservations WHERE target = ?"
            ).bind(name).first { CallEstimate(inputTokens: $0.int(0), outputTokens: $0.int(1)) }
            return estimate?[rate] ?? 0
        }
    }

    private func latestToken() throws(SQLFailure) -> Int64 {
        try statement("SELECT value FROM counters WHERE name = 'token'").first { $0.int64(0) } ?? 0
    }
}

extension FailureClass {
    fileprivate var mayPause: Bool {
        switch self {
        case .unreachable, .rateLimited, .overloaded, .authentication, .quotaExhausted: true
        default: false
        }
    }
}
