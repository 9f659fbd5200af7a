import AgentQueueModel

/// What a job may cost.
struct Budgets {
    /// In US dollars; nil is no bound.
    var own: Double?
    /// Its batch's.
    var batch: Double?

    var isEmpty: Bool { own == nil && batch == nil }
}

/// Why a call may not be made: its cost.
enum BudgetRefusal {
    /// It never may, for the reason given.
    case never(String)
    /// Calls under way may take what is left; or may not.
    case notNow
}

extension WriteTransaction {
    /// Why a job's budgets do not allow a call; nil where they do.
    /// - Parameter spentBesides: what an earlier call of the attempt cost, of which the job has no row yet.
    func refusal(
        of job: ClaimedJob, _ estimate: CallEstimate, _ budgets: Budgets, spentBesides: Double = 0
    ) throws(SQLFailure) -> BudgetRefusal? {
        let tolerance = 1e-9
        let worst = estimate.worstCost
        if let budget = budgets.own {
            let spent = try statement("SELECT coalesce(sum(cost_usd), 0.0) FROM job_errors WHERE job_id = ?").bind(job.id).first {
                $0.double(0)
            }
            let all = (spent ?? 0) + spentBesides
            if all + worst > budget + tolerance { return .never(Self.sentence("the job", budget, all, worst)) }
        }
        if let budget = budgets.batch, let batch = job.batchID {
            let (spent, reserved) = try withBudget(of: batch) { ($0.spent, $0.reserved) }
            if spent + worst > budget + tolerance { return .never(Self.sentence("its batch", budget, spent, worst)) }
            if spent + reserved + worst > budget + tolerance { return .notNow }
        }
        return nil
    }

    private static func sentence(_ whose: String, _ budget: Double, _ spent: Double, _ worst: Double) -> String {
        """
        the budget of \(whose) (\(ProviderQuota.dollars(budget))) does not allow the call: \(ProviderQuota.dollars(spent)) is spent, \
        and it may cost \(ProviderQuota.dollars(worst))
        """
    }

    /// Puts a job back that was just claimed and may not be called for. One that only has to wait stays where it was: the end of a
    /// call of its batch will ring.
    func withdraw(_ job: ClaimedJob, _ refusal: BudgetRefusal) throws {
        let state: JobState =
            switch refusal {
            case .never: .discarded
            case .notNow: .available
            }
        try putBack(job, to: state, rings: false)
        guard case .never(let reason) = refusal else { return }
        try addError(job: job.id, attempt: 0, .quotaExhausted, reason)
        try recordFinish(of: job.id, .discarded)
    }
}
