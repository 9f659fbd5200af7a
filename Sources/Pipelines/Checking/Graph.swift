import JobModel

/// The steps of a pipeline, checked, in an order in which each stands behind those it needs.
struct Graph: Sendable {
    var steps: [StepPlan] = []
    /// What a run's output is; nil is that of the steps that none needs.
    var output: PromptTemplate?
    /// The target of calls whose step and role name none.
    var model: PromptTemplate?
    /// What inputs that are amounts may be.
    var amounts: [String: ClosedRange<Int>] = [:]
}
