import JobModel

/// Where a template or a condition stands in a run: what its names mean.
struct Place {
    var scope: StepScope
    var item: JSONValue?
    /// The item's place, from 1.
    var number = 0
    var count = 0
    /// What a judge sees.
    var answers: JSONValue?

    /// The nearest group's round.
    var group: StepScope? {
        var scope: StepScope? = scope
        while let current = scope, current.round == nil { scope = current.parent }
        return scope
    }
}
