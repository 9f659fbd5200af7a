import JobModel

/// Several calls in place of one, checked.
struct EnsemblePlan: Sendable {
    /// What it calls.
    enum Targets: Sendable {
        case own
        case names([PromptTemplate])
        case path(Reference)
    }

    /// How several answers become one output.
    enum Combination: Sendable {
        case all
        case vote(on: [Expression.Step])
        case judge(QuestionPlan)
    }

    var targets: Targets
    var samples: Amount
    var combine: Combination
    var confidence: Double?

    var judge: QuestionPlan? { if case .judge(let question) = combine { question } else { nil } }
}
