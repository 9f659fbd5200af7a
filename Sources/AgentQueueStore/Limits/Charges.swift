import AgentQueueModel

/// What a call was, for those who count calls: the limits, the breaker and the money.
package struct CallReport: Sendable, Equatable {
    /// What was called.
    package var target: Target
    /// The tokens that the provider counted.
    package var usage: Usage
    /// What it cost, in US dollars.
    package var cost: Double
    /// How many requests the provider charged for; 0 where it certainly charged for none.
    package var calls: Int
    /// How it failed; nil if it brought an answer.
    package var failure: FailureClass?
    /// The provider's own word on when to try again, in ms from now.
    package var retryAfter: Int64?
    /// Whom the failure is about.
    package var scope: FailureScope
    /// What the answer says about rate limits.
    package var limits: ObservedLimits?
    /// Whether the provider may have charged for an answer that never arrived.
    package var isMaybePaid: Bool
    /// What it may have cost then, in US dollars.
    package var maybeCost: Double
    /// What had arrived of the answer.
    package var partialText: String?
    /// Whether anything was sent to the provider.
    package var wasSent: Bool
    /// Whether the job shared another's call, whose report tells of the provider: this one tells what the job used of it.
    package var isCompanion = false

    /// Makes a report; of one answer that cost nothing, unless told.
    package init(
        target: Target, usage: Usage = Usage(), cost: Double = 0, calls: Int = 1, failure: FailureClass? = nil, retryAfter: Int64? = nil,
        scope: FailureScope = .target, limits: ObservedLimits? = nil, isMaybePaid: Bool = false, maybeCost: Double = 0,
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

    /// Whether no request reached the provider, so that what was set aside for it is given back.
    var neverBegan: Bool {
        calls == 0 && cost == 0 && !isMaybePaid && (!wasSent || failure == .shutdown || failure == .cancelled)
    }
}

/// What a call cost, or may have: a row of `charges`.
struct Charge: Equatable {
    enum Outcome: String {
        /// It brought an answer.
        case answered
        /// It brought none, and cost something.
        case failed
        /// Its answer came after another had the job.
        case fenced
        /// Whether it was paid is not known.
        case doubtful
    }

    var target: Target
    var outcome: Outcome
    var calls: Int
    var usage = Usage()
    /// US dollars; of a doubtful one, what it may have cost.
    var cost: Double

    /// A call whose end no one saw.
    /// - Parameter calls: 0 for the part of a job that shared another's.
    init(doubtful target: Target, cost: Double, calls: Int) {
        self.target = target
        outcome = .doubtful
        self.calls = calls
        self.cost = cost
    }

    /// What a call came to; nil where it was certainly not paid.
    init?(_ report: CallReport, isFenced: Bool) {
        target = report.target
        usage = report.usage
        // What cannot be stored was no price.
        let paid = report.cost.isFinite ? report.cost : 0
        let maybePaid = report.maybeCost.isFinite ? report.maybeCost : 0
        if report.isMaybePaid {
            outcome = .doubtful
            calls = report.isCompanion ? report.calls : max(1, report.calls)
            cost = max(paid, maybePaid)
        } else {
            // The part of a job that shared a call is on record for its tokens.
            guard report.calls > 0 || paid > 0 || (report.isCompanion && report.usage != Usage()) else { return nil }
            outcome = isFenced ? .fenced : report.failure == nil ? .answered : .failed
            calls = report.calls
            cost = paid
        }
    }
}

extension ProviderStore {
    /// Calls that may have been paid for although no answer came, newest first.
    package func doubtfulCalls(limit: Int) throws -> [DoubtfulCall] {
        try read { reader in
            try reader.statement(
                """
                SELECT job_id, attempt, target, at, cost_usd FROM charges INDEXED BY charges_doubtful WHERE outcome = 'doubtful'
                ORDER BY id DESC LIMIT ?
                """
            ).bind(limit).all { row in
                DoubtfulCall(
                    jobID: row.int64(0), attempt: row.int(1), target: row.text(2), at: row.int64(3), cost: row.double(4))
            }
        }
    }

    /// How many such calls there are, and what they may have cost, in US dollars.
    static func maybePaid(_ reader: ReadConnection) throws(SQLFailure) -> (calls: Int, cost: Double) {
        try reader.statement(
            """
            SELECT coalesce(sum(calls), 0), coalesce(sum(cost_usd), 0.0) FROM charges INDEXED BY charges_doubtful
            WHERE outcome = 'doubtful'
            """
        ).first { (calls: $0.int(0), cost: $0.double(1)) } ?? (0, 0)
    }
}

/// Whose call is charged.
struct ChargedClaim {
    var lease: Lease
    var lane: Int64
    var batch: Int64?
    var attempt: Int
    /// Whether something may be set aside for it.
    var isReserved = true
}

extension ChargedClaim {
    init(_ job: ClaimedJob) {
        self.init(lease: job.lease, lane: job.laneID, batch: job.batchID, attempt: job.attempt, isReserved: job.isReserved)
    }
}

extension WriteTransaction {
    /// Writes what a call cost, or may have, and counts it: for its provider and target on this day (UTC), and for its batch.
    func charge(_ charge: Charge, to claim: ChargedClaim) throws(SQLFailure) {
        try spend(charge, of: claim)
        try write(charge, of: claim)
    }

    /// Counts what a call cost, in memory.
    func spend(_ charge: Charge, of claim: ChargedClaim) throws(SQLFailure) {
        guard charge.cost != 0 else { return }
        let day = try day(of: charge)
        for name in charge.target.resourceNames { try withQuota(name) { $0.spend(charge.cost, on: day) } }
        if let batch = claim.batch { try withBudget(of: batch) { $0.spent += charge.cost } }
    }

    /// The day (UTC) that a charge belongs to: where the clock was set back over midnight, the later one holds.
    private func day(of charge: Charge) throws(SQLFailure) -> Int64 {
        var day = now / ProviderQuota.dayLength
        for name in charge.target.resourceNames { day = max(day, try withQuota(name) { $0.day }) }
        return day
    }

    /// Writes the row of a charge that was counted.
    func write(_ charge: Charge, of claim: ChargedClaim) throws(SQLFailure) {
        // An answer is counted with its result, whatever the fence says.
        if charge.outcome == .failed {
            ledger.pay(lane: claim.lane, usage: charge.usage, cost: charge.cost, calls: min(1, Int64(charge.calls)))
        }
        let at = try charge.cost == 0 ? now : max(now, day(of: charge) * ProviderQuota.dayLength)
        try statement(
            """
            INSERT INTO charges (at, lane_id, target, job_id, token, attempt, batch_id, outcome, calls, input_tokens, output_tokens, cost_usd)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).bind(at).bind(claim.lane).bind(charge.target.description).bind(claim.lease.jobID).bind(claim.lease.token).bind(claim.attempt)
            .bind(claim.batch).bind(charge.outcome.rawValue).bind(charge.calls).bind(charge.usage.inputTokens)
            .bind(charge.usage.outputTokens).bind(charge.cost).run()
    }

    /// The end of a call has come after its claim was lost. If it was thought doubtful meanwhile, it no longer is.
    func chargeLate(_ report: CallReport, to claim: ChargedClaim) throws(SQLFailure) {
        let charge = Charge(report, isFenced: true)
        let doubt = try statement(
            """
            SELECT id, at, cost_usd FROM charges INDEXED BY charges_doubtful
            WHERE outcome = 'doubtful' AND job_id = ? AND token = ? AND target = ? ORDER BY id DESC LIMIT 1
            """
        ).bind(claim.lease.jobID).bind(claim.lease.token).bind(report.target.description).first {
            (id: $0.int64(0), at: $0.int64(1), cost: $0.double(2))
        }
        guard let doubt else {
            if let charge { try self.charge(charge, to: claim) }
            return
        }
        if let charge {
            try statement("UPDATE charges SET outcome = ?, calls = ?, input_tokens = ?, output_tokens = ?, cost_usd = ? WHERE id = ?")
                .bind(charge.outcome.rawValue).bind(charge.calls).bind(charge.usage.inputTokens).bind(charge.usage.outputTokens)
                .bind(charge.cost).bind(doubt.id).run()
        } else {
            try statement("DELETE FROM charges WHERE id = ?").bind(doubt.id).run()
        }
        let difference = (charge?.cost ?? 0) - doubt.cost
        let day = doubt.at / ProviderQuota.dayLength
        for name in report.target.resourceNames {
            try withQuota(name) { resource in
                // A doubt that cost nothing has begun no day.
                if resource.day <= day { resource.spend(difference, on: day) }
            }
        }
        if let batch = claim.batch { try withBudget(of: batch) { $0.spent += difference } }
    }

    /// Forgets one slice of the charges before a time. Returns how many.
    func pruneCharges(before time: Int64, slice: Int) throws(SQLFailure) -> Int {
        // They stand in the order of their times, but for a clock that was set back.
        let oldest = try statement("SELECT id, at FROM charges ORDER BY id LIMIT ?").bind(slice).all { ($0.int64(0), $0.int64(1)) }
        guard let last = oldest.prefix(while: { $0.1 < time }).last else { return 0 }
        try statement("UPDATE counters SET value = max(value, ?) WHERE name = 'charges_since'").bind(time).run()
        return try statement("DELETE FROM charges WHERE id <= ?").bind(last.0).run()
    }
}

/// A call that may have been paid for although no answer came: its worker died, or its connection broke.
package struct DoubtfulCall: Sendable, Equatable {
    /// The job; it may be gone.
    package var jobID: Int64
    /// The attempt.
    package var attempt: Int
    /// What was called, `provider/model`.
    package var target: String
    /// When it was given up; wall clock, ms.
    package var at: Int64
    /// What it may have cost, in US dollars; 0 where that is not known.
    package var cost: Double
}
