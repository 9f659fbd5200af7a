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
