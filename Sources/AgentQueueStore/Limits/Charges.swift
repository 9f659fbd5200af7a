import AgentQueueModel

/// A report of one call for the limits, the breaker and the accounting.
package struct CallReport: Sendable, Equatable {
    /// The target that was called.
    package var target: Target
    /// The tokens that the provider counted.
    package var usage: Usage
    /// The cost in US dollars; nil if the price is unknown.
    package var cost: Double?
    /// How many requests the provider charged for; 0 if it certainly charged for none.
    package var calls: Int
    /// How the call failed; nil if it returned an answer.
    package var failure: FailureClass?
    /// The provider's own retry-after, in milliseconds from now.
    package var retryAfter: Int64?
    /// Whether the failure is about the target or the whole provider.
    package var scope: FailureScope
    /// What the response says about rate limits.
    package var limits: ObservedLimits?
    /// Whether the provider may have charged for an answer that never arrived.
    package var isMaybePaid: Bool
    /// What the call may have cost in that case, in US dollars; nil if the price is unknown.
    package var maybeCost: Double?
    /// The part of the answer that arrived.
    package var partialText: String?
    /// Whether anything was sent to the provider.
    package var wasSent: Bool
    /// Whether the job shared another job's call. The other report then describes the provider's behavior; this one only says what the job
    /// used of the call.
    package var isCompanion = false

    /// Creates a report; the defaults describe one answered call that cost nothing.
    package init(
        target: Target, usage: Usage = Usage(), cost: Double? = 0, calls: Int = 1, failure: FailureClass? = nil, retryAfter: Int64? = nil,
        scope: FailureScope = .target, limits: ObservedLimits? = nil, isMaybePaid: Bool = false, maybeCost: Double? = 0,
        partialText: String? = nil, wasSent: Bool = true
    ) {
        self.target = target
        self.usage = usage
        self.cost = cost
        self.calls = calls
        self.failure = failure
        self.retryAfter = retryAfter
        self.scope = scope
        self.limits = limits
        self.isMaybePaid = isMaybePaid
        self.maybeCost = maybeCost
        self.partialText = partialText
        self.wasSent = wasSent
    }

    /// Whether no request reached the provider, so that the reservation is given back.
    var neverBegan: Bool {
        calls == 0 && (cost ?? 0) == 0 && !isMaybePaid && (!wasSent || failure == .shutdown || failure == .cancelled)
    }
}

/// What a call cost or may have cost: a row of `charges`.
struct Charge: Equatable {
    enum Outcome: String {
        /// The call returned an answer.
        case answered
        /// The call returned no answer but cost something.
        case failed
        /// The answer came after the job's claim was lost.
        case fenced
        /// Whether the call was paid for is not known.
        case doubtful
    }

    var target: Target
    var outcome: Outcome
    var calls: Int
    var usage = Usage()
    /// US dollars; for a doubtful charge, what it may have cost; 0 if the price is unknown.
    var cost: Double
    /// Whether the price is known.
    var isPriced: Bool

    /// The cost; nil if the price is unknown.
    var knownCost: Double? { isPriced ? cost : nil }

    /// A call whose end nobody saw.
    /// - Parameters:
    ///   - cost: nil if the price is unknown.
    ///   - calls: 0 for a job that shared another job's call.
    init(doubtful target: Target, cost: Double?, calls: Int) {
        self.target = target
        outcome = .doubtful
        self.calls = calls
        self.cost = cost ?? 0
        isPriced = cost != nil
    }

    /// The charge for a reported call; nil if it was certainly not paid for.
    init?(_ report: CallReport, isFenced: Bool) {
        target = report.target
        usage = report.usage
        // A cost that is not finite cannot be stored and is no price.
        let paid = report.cost.flatMap { $0.isFinite ? $0 : nil }
        let maybePaid = report.maybeCost.flatMap { $0.isFinite ? $0 : nil }
        if report.isMaybePaid {
            outcome = .doubtful
            calls = report.isCompanion ? report.calls : max(1, report.calls)
            cost = max(paid ?? 0, maybePaid ?? 0)
            isPriced = maybePaid != nil
        } else {
            // A job that shared a call has a row for its tokens.
            guard report.calls > 0 || paid ?? 0 > 0 || (report.isCompanion && report.usage != Usage()) else { return nil }
            outcome = isFenced ? .fenced : report.failure == nil ? .answered : .failed
            calls = report.calls
            cost = paid ?? 0
            isPriced = paid != nil
        }
    }
}

extension ProviderStore {
    /// Returns calls without an answer that may have been paid for, newest first.
    package func doubtfulCalls(limit: Int) throws -> [DoubtfulCall] {
        try read { reader in
            try reader.statement(
                """
                SELECT job_id, attempt, target, at, cost_usd, unpriced FROM charges INDEXED BY charges_doubtful WHERE outcome = 'doubtful'
                ORDER BY id DESC LIMIT ?
                """
            ).bind(limit).all { row in
                DoubtfulCall(
                    jobID: row.int64(0), attempt: row.int(1), target: row.text(2), at: row.int64(3), cost: row.cost(4, unpriced: 5))
            }
        }
    }

    /// Returns the number of doubtful calls, how many of them have no known price, and what the others may have cost, in US dollars.
    static func maybePaid(_ reader: ReadConnection) throws(SQLFailure) -> (calls: Int, unpriced: Int, cost: Double) {
        try reader.statement(
            """
            SELECT coalesce(sum(calls), 0), coalesce(sum(CASE WHEN unpriced = 1 OR unpriced IS NULL AND cost_usd = 0 THEN calls END), 0),
            coalesce(sum(cost_usd), 0.0) FROM charges INDEXED BY charges_doubtful WHERE outcome = 'doubtful'
            """
        ).first { (calls: $0.int(0), unpriced: $0.int(1), cost: $0.double(2)) } ?? (0, 0, 0)
    }
}

/// The claim that a charge belongs to.
struct ChargedClaim {
    var lease: Lease
    var lane: Int64
    var batch: Int64?
    var attempt: Int
    /// Whether the claim may have a reservation.
    var isReserved = true
    /// The key that pays too.
    var key: Int64?
}

extension ChargedClaim {
    init(_ job: ClaimedJob) {
        self.init(
            lease: job.lease, lane: job.laneID, batch: job.batchID, attempt: job.attempt, isReserved: job.isReserved,
            key: job.keyID)
    }
}

extension WriteTransaction {
    /// Writes a charge and counts it: for its provider and target on this day (UTC), and for its batch.
    func charge(_ charge: Charge, to claim: ChargedClaim) throws(SQLFailure) {
        try spend(charge, of: claim)
        try write(charge, of: claim)
    }

    /// Counts a charge in memory, without writing its row.
    func spend(_ charge: Charge, of claim: ChargedClaim) throws(SQLFailure) {
        guard charge.cost != 0 else { return }
        let day = try day(of: charge)
        if let key = claim.key { try spend(charge.cost, on: max(day, withQuota(ofKey: key) { $0.day }), ofKey: key) }
        for name in charge.target.resourceNames { try withQuota(name) { $0.spend(charge.cost, on: day) } }
        if let batch = claim.batch { try withBudget(of: batch) { $0.spent += charge.cost } }
    }

    /// Returns the day (UTC) that a charge belongs to. If the clock was set back across midnight, the later day applies.
    private func day(of charge: Charge) throws(SQLFailure) -> Int64 {
        var day = now / ProviderQuota.dayLength
        for name in charge.target.resourceNames { day = max(day, try withQuota(name) { $0.day }) }
        return day
    }

    /// Writes the row of a charge that has been counted.
    func write(_ charge: Charge, of claim: ChargedClaim) throws(SQLFailure) {
        // Answers are counted with their results, even if the fence refuses them.
        if charge.outcome == .failed {
            ledger.pay(
                lane: claim.lane, target: charge.target, usage: charge.usage, cost: charge.knownCost, calls: min(1, Int64(charge.calls)))
        }
        if !charge.isPriced, charge.calls > 0, let batch = claim.batch { ledger.countUnpriced(Int64(charge.calls), inBatch: batch) }
        let at = try charge.cost == 0 ? now : max(now, day(of: charge) * ProviderQuota.dayLength)
        try statement(
            """
            INSERT INTO charges (at, lane_id, target, job_id, token, attempt, batch_id, outcome, calls, input_tokens, output_tokens, cost_usd,
            unpriced) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).bind(at).bind(claim.lane).bind(charge.target.description).bind(claim.lease.jobID).bind(claim.lease.token).bind(claim.attempt)
            .bind(claim.batch).bind(charge.outcome.rawValue).bind(charge.calls).bind(charge.usage.inputTokens)
            .bind(charge.usage.outputTokens).bind(charge.cost).bind(!charge.isPriced).run()
    }

    /// Charges a call that ended after its claim was lost. A doubtful charge for it is replaced, because its outcome is now known.
    func chargeLate(_ report: CallReport, to claim: ChargedClaim) throws(SQLFailure) {
        let charge = Charge(report, isFenced: true)
        let doubt = try statement(
            """
            SELECT id, at, cost_usd, CASE WHEN unpriced = 1 THEN calls ELSE 0 END FROM charges INDEXED BY charges_doubtful
            WHERE outcome = 'doubtful' AND job_id = ? AND token = ? AND target = ? ORDER BY id DESC LIMIT 1
            """
        ).bind(claim.lease.jobID).bind(claim.lease.token).bind(report.target.description).first {
            (id: $0.int64(0), at: $0.int64(1), cost: $0.double(2), unpriced: $0.int64(3))
        }
        guard let doubt else {
            if let charge { try self.charge(charge, to: claim) }
            return
        }
        if let charge {
            try statement(
                "UPDATE charges SET outcome = ?, calls = ?, input_tokens = ?, output_tokens = ?, cost_usd = ?, unpriced = ? WHERE id = ?"
            )
            .bind(charge.outcome.rawValue).bind(charge.calls).bind(charge.usage.inputTokens).bind(charge.usage.outputTokens)
            .bind(charge.cost).bind(!charge.isPriced).bind(doubt.id).run()
        } else {
            try statement("DELETE FROM charges WHERE id = ?").bind(doubt.id).run()
        }
        let difference = (charge?.cost ?? 0) - doubt.cost
        let day = doubt.at / ProviderQuota.dayLength
        for name in report.target.resourceNames {
            try withQuota(name) { resource in
                // A doubtful charge that cost nothing did not start a new day.
                if resource.day <= day { resource.spend(difference, on: day) }
            }
        }
        if let key = claim.key { try spend(difference, on: day, ofKey: key) }
        if let batch = claim.batch {
            try withBudget(of: batch) { $0.spent += difference }
            let unpriced = charge.map { $0.isPriced ? 0 : Int64($0.calls) } ?? 0
            if unpriced != doubt.unpriced { ledger.countUnpriced(unpriced - doubt.unpriced, inBatch: batch) }
        }
    }

    /// Deletes one slice of the charges before a time. Returns how many.
    func pruneCharges(before time: Int64, slice: Int) throws(SQLFailure) -> Int {
        // Ids follow the order of times, unless the clock was set back.
        let oldest = try statement("SELECT id, at FROM charges ORDER BY id LIMIT ?").bind(slice).all { ($0.int64(0), $0.int64(1)) }
        guard let last = oldest.prefix(while: { $0.1 < time }).last else { return 0 }
        try statement("UPDATE counters SET value = max(value, ?) WHERE name = 'charges_since'").bind(time).run()
        return try statement("DELETE FROM charges WHERE id <= ?").bind(last.0).run()
    }
}

/// A call without an answer that may have been paid for: its worker died, or its connection broke.
package struct DoubtfulCall: Sendable, Equatable {
    /// The job's id; the job may have been deleted.
    package var jobID: Int64
    /// The number of the job's attempt.
    package var attempt: Int
    /// The target: `provider/model`.
    package var target: String
    /// When the call was given up (wall clock, in milliseconds).
    package var at: Int64
    /// What the call may have cost, in US dollars; nil if the price is unknown.
    package var cost: Double?
}

extension Statement {
    /// A cost; nil if the price is unknown. Schema 7 wrote no mark and stored an unknown cost as 0.
    func cost(_ column: CInt, unpriced mark: CInt) -> Double? {
        let cost = double(column)
        return isNull(mark) ? (cost == 0 ? nil : cost) : bool(mark) ? nil : cost
    }
}
