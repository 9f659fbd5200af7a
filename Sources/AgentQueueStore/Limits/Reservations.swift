import AgentQueueModel

/// What is set aside for a call under way: a row of `reservations`.
struct Reservation: Equatable {
    var lease: Lease
    /// The call's number, from the counter that tokens come from.
    var call: Int64
    var target: Target
    var estimate: CallEstimate
    var isProbe: Bool
    /// The batch whose budget holds the worst cost.
    var batch: Int64?
}

extension Target {
    /// The resources that a call of it concerns.
    var resourceNames: [String] { [provider, description] }
}

extension WriteTransaction {
    // MARK: Rows in memory

    /// A resource, to be looked at and changed.
    @discardableResult
    func withQuota<T>(_ name: String, _ body: (inout ProviderQuota) -> T) throws(SQLFailure) -> T {
        if resources.entries[name] == nil {
            let stored = try storedQuota(name)
            resources.entries[name] = QuotaLedger.Entry(stored: stored, current: stored ?? ProviderQuota(name: name))
        }
        // In place: a copy would copy its breaker's slots at each call.
        return body(&resources.entries[name, default: QuotaLedger.Entry(stored: nil, current: ProviderQuota(name: name))].current)
    }

    private func storedQuota(_ name: String) throws(SQLFailure) -> ProviderQuota? {
        try statement(
            """
            SELECT running, waiting_since, paused_until, pause_class, pause_reason, pauses, parks, trial_after, trials, requests, tokens,
            input_tokens, output_tokens, minute, minute_calls, last_minute_calls, breaker, breaker_until, breaker_probe,
            breaker_consecutive, breaker_slots, day, spent_usd, reserved_usd, error_class, error_message, error_at
            FROM resources WHERE name = ?
            """
        ).bind(name).first { ProviderQuota($0, name: name) }
    }

    /// A batch's budget, to be looked at and changed.
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

    /// Whether calls of a target may begin: as far as its provider is concerned, and it itself. Where they may not before
    /// something ends, that end will ring.
    /// - Parameter estimate: what one call is expected to use; without it, tokens and money are not looked at.
    func gate(_ target: Target, _ policies: CallPolicies, estimate: CallEstimate?) throws(SQLFailure) -> Admission {
        let now = now
        var both = Admission.open(count: .max, isProbe: false)
        for name in target.resourceNames {
            let limits = policies.limits(of: name)
            let gate = try withQuota(name) { resource in
                resource.configure(limits, now: now)
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

    /// Whether calls of a target must be looked at one by one.
    func needsEstimate(_ target: Target, _ policies: CallPolicies) throws(SQLFailure) -> Bool {
        for name in target.resourceNames {
            let limits = policies.limits(of: name)
            if try withQuota(name, { $0.needsEstimate(limits) }) { return true }
        }
        return false
    }

    /// Whether what a call is expected to use is no more than its target's rates of tokens allow in a minute.
    func fits(_ estimate: CallEstimate, _ target: Target, _ policies: CallPolicies) throws(SQLFailure) -> Bool {
        for name in target.resourceNames {
            let limits = policies.limits(of: name)
            if try withQuota(name, { !$0.fits(estimate, limits) }) { return false }
        }
        return true
    }

    /// Whether there is anything to set aside for a call of a target.
    func isLimited(_ target: Target, _ policies: CallPolicies) throws(SQLFailure) -> Bool {
        for name in target.resourceNames {
            let limits = policies.limits(of: name)
            if try withQuota(name, { $0.isLimited(limits) }) { return true }
        }
        return false
    }

    /// Sets aside what a call needs.
    func reserve(_ reservation: Reservation) throws(SQLFailure) {
        let now = now
        for name in reservation.target.resourceNames {
            try withQuota(name) { $0.reserve(reservation.call, reservation.estimate, isProbe: reservation.isProbe, now: now) }
        }
        if let batch = reservation.batch { try withBudget(of: batch) { $0.reserved += reservation.estimate.worstCost } }
        try statement(
            """
            INSERT INTO reservations (job_id, token, call, target, input_tokens, output_tokens, worst_usd, is_probe, batch_id, requests)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).bind(reservation.lease.jobID).bind(reservation.lease.token).bind(reservation.call).bind(reservation.target.description)
            .bind(reservation.estimate.inputTokens).bind(reservation.estimate.outputTokens).bind(reservation.estimate.worstCost)
            .bind(reservation.isProbe).bind(reservation.batch).bind(reservation.estimate.requests).run()
    }

    // MARK: After a call

    /// What is set aside for a claim's call; nil where nothing is.
    func reservation(of lease: Lease) throws(SQLFailure) -> Reservation? {
        let row = try statement(
            """
            SELECT call, target, input_tokens, output_tokens, worst_usd, is_probe, batch_id, requests FROM reservations
            WHERE job_id = ? AND token = ?
            """
        ).bind(lease.jobID).bind(lease.token).first { row in
            var estimate = CallEstimate(inputTokens: row.int(2), outputTokens: row.int(3), worstCost: row.double(4))
            estimate.requests = row.int(7)
            return (row.int64(0), row.text(1), estimate, row.int64(5) == 1, row.optionalInt64(6))
        }
        guard let (call, name, estimate, isProbe, batch) = row, let target = Target(name) else { return nil }
        return Reservation(lease: lease, call: call, target: target, estimate: estimate, isProbe: isProbe, batch: batch)
    }

    /// Removes the row of what was set aside.
    func forget(_ reservation: Reservation) throws(SQLFailure) {
        try statement("DELETE FROM reservations WHERE job_id = ? AND token = ?")
            .bind(reservation.lease.jobID).bind(reservation.lease.token).run()
    }

    /// Draws what follows from a call's end for its provider and target, in memory: what was set aside is free, what was used is
    /// counted, limits are learnt, the breaker knows.
    /// - Parameters:
    ///   - report: what the call was; nil where none was made.
    ///   - message: how it failed, in a sentence.
    func record(
        _ report: CallReport?, _ reservation: Reservation?, token: Int64, message: String, _ policies: CallPolicies
    ) throws(SQLFailure) {
        let now = now
        let wasMade = report.map { !$0.neverBegan } ?? false
        if let reservation {
            for name in reservation.target.resourceNames {
                let rings = try withQuota(name) { resource in
                    if !wasMade { resource.giveBack(reservation.call, reservation.estimate, now: now) }
                    return resource.release(reservation.call, reservation.estimate)
                }
                if rings { ledger.ringWork() }
            }
            if let batch = reservation.batch {
                ledger.ringWork()
                try withBudget(of: batch) { budget in
                    budget.reserved -= reservation.estimate.worstCost
                    // Sums of fractions seldom come out even.
                    if budget.reserved < 1e-9 { budget.reserved = 0 }
                }
            }
        }
        guard let report, wasMade else { return }
        let estimate = reservation?.estimate
        guard !report.isCompanion else {
            for name in report.target.resourceNames {
                try withQuota(name) { resource in
                    if estimate?.requests == 1 { resource.giveBackRequest(now: now) }
                    resource.settle(estimate, used: report.isMaybePaid && estimate != nil ? nil : report.usage, now: now)
                }
            }
            return
        }
        let used = report.isMaybePaid && estimate != nil ? nil : report.usage
        let wasTaken = report.failure != .rateLimited && (report.calls > 0 || report.failure.map(\.showsHealth) ?? true == true)
        var verdict = CallResult(
            call: reservation?.call ?? token, failure: report.failure, retryAfter: report.retryAfter, message: message, isConcerned: false,
            latestToken: try report.failure?.mayPause == true ? latestToken() : 0)
        if report.failure == .rateLimited { verdict.underWay = try callsUnderWay(of: report.target, .requests) }
        for (name, scope) in zip(report.target.resourceNames, [FailureScope.provider, .target]) {
            verdict.isConcerned = report.scope == scope
            try withQuota(name) { [verdict] resource in
                resource.settle(estimate, used: used, now: now)
                if wasTaken { resource.countTaken(now: now) }
                resource.record(verdict, policies.breaker, now: now)
            }
        }
        if let limits = report.limits { try observe(limits, of: report.target, policies) }
    }

    /// Takes in what an answer says about its target's rate limits.
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

    /// What the calls under way have taken, or will take, of a limit that was not known when they began.
    private func callsUnderWay(of target: Target, _ rate: Rate) throws(SQLFailure) -> Double {
        let name = target.description
        switch rate {
        case .requests:
            let lanes = try statement("SELECT id, running, kind <> 'generate' FROM lanes WHERE target = ?").bind(name).all {
                (id: $0.int64(0), running: $0.int64(1), sharesCalls: $0.int64(2) == 1)
            }
            var calls: Int64 = 0
            for lane in lanes {
                // Jobs of one call have one token.
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
    /// Whether it may lead to a pause.
    fileprivate var mayPause: Bool {
        switch self {
        case .rateLimited, .overloaded, .authentication, .quotaExhausted: true
        default: false
        }
    }
}
