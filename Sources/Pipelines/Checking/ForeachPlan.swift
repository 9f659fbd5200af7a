import JobModel

/// What a step makes a call each for, checked.
struct ForeachPlan: Sendable {
    var reference: Reference
    var way: Foreach.Way
}
