import JobModel

/// A group, checked: its steps in an order in which each stands behind those it needs.
struct GroupPlan: Sendable {
    var steps: [StepPlan]
    /// How often it is gone through; nil is once.
    var times: Amount?
    var until: Condition?
    var improves: Reference?
    var patience: Amount
}
