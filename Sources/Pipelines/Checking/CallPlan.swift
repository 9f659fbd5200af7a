import JobModel

/// A step that asks a model, checked.
struct CallPlan: Sendable {
    /// What it is besides templates and paths.
    var call: Call
    var question: QuestionPlan
    var foreach: ForeachPlan?
    var ensemble: EnsemblePlan?

    /// Whether its outputs are JSON.
    var isParsed: Bool { call.schema != nil }
}
