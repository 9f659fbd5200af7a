import AgentQueueModel

/// The budgets that limit a job.
struct Budgets {
    /// The job's own budget in US dollars; nil means no limit.
    var own: Double?
    /// The budget of the job's batch.
    var batch: Double?

    var isEmpty: Bool { own == nil && batch == nil }
}

/// Why a budget does not allow a call.
enum BudgetRefusal {
    /// The budget can never pay for the call; the string says why.
    case never(String)
    /// What is left may be used up by the calls under way; once they end, there may be enough.
    case notNow
}

extension WriteTransaction {
    /// Returns why a job's budgets do not allow a call; nil if they do.
    /// - Parameter spentBesides: the cost of an earlier call in the attempt, which has not been written to the job yet.
    func refusal(
        of job: ClaimedJob, _ estimate: CallEstimate, _ budgets: Budgets, spentBesides: Double = 0
    ) throws(SQLFailure) -> BudgetRefusal? {
        guard estimate.canBeLimited else {
            let whose = budgets.own == nil ? "its batch" : "the job"
            return .never(
                "the budget of \(whose) does not allow the call: the price of \(job.route) is unknown; set models.\(job.route).price")
        }
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
        the budget of \(whose) (\(Money.display(budget))) does not allow the call: \(Money.display(spent)) is spent, \
        and it may cost \(Money.display(worst))
        """
    }

    /// Puts back a job that was just claimed but may not be called for. A job that only has to wait stays available; the end of a call in
    /// its batch wakes the workers.
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
