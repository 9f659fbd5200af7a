import JobModel

/// Steps beside each other, as they stand in a run: those of the pipeline, or of one round of a group.
final class StepScope {
    /// What their paths begin with: empty, or `refine/2/`.
    let prefix: String
    let steps: [StepPlan]
    /// The steps around the group.
    let parent: StepScope?
    /// The round, from 1; nil for those of the pipeline.
    let round: Int?
    /// The round before.
    let previous: StepScope?
    var statuses: [String: StepStatus] = [:]
    /// What makes the outputs of steps that ask a model, in order.
    var units: [String: [Unit]] = [:]
    /// The rounds of groups that have ended, in order.
    var rounds: [String: [StepScope]] = [:]

    init(prefix: String, steps: [StepPlan], parent: StepScope? = nil, round: Int? = nil, previous: StepScope? = nil) {
        self.prefix = prefix
        self.steps = steps
        self.parent = parent
        self.round = round
        self.previous = previous
    }

    func step(named name: String) -> StepPlan? { steps.first { $0.name == name } }
}
