import JobModel

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
    init(doubtful target: Target, cost: Double) {
        self.target = target
        outcome = .doubtful
        calls = 1
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
            guard report.calls > 0 || paid > 0 else { return nil }
            outcome = isFenced ? .fenced : report.failure == nil ? .answered : .failed
            calls = report.calls
            cost = paid
        }
    }
}
