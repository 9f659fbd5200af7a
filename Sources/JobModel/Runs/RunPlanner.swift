/// Decides what a run does next: what pipelines say, turned into jobs. The queue's rooms know it only by this.
public protocol RunPlanner: Sendable {
    /// What to write of a run, given all ends that it has not been told: those of the snapshot, and `ended`, which is about to be
    /// settled. Reads outputs of earlier calls where it needs them, and touches nothing.
    /// - Throws: where the run's definition or an output cannot be read.
    func plan(_ run: RunSnapshot, ended: StepEnd?) throws -> RunAdvance
}
