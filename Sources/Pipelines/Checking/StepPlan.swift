import JobModel

/// A step, checked: its templates and conditions read, its needs known.
struct StepPlan: Sendable {
    /// What a step does.
    indirect enum Work: Sendable {
        case call(CallPlan)
        case group(GroupPlan)
    }

    var name: String
    /// The steps beside it that it waits for: those it names, and those whose outputs it uses.
    var needs: [String]
    var when: Condition?
    /// Whether its condition is one of each item.
    var isWhenOfItems = false
    var onFailure: FailurePolicy
    var work: Work
}
