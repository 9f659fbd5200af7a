import JobModel

/// What becomes of a run when a step of it has failed for good.
public enum FailurePolicy: Sendable, Equatable {
    /// What the step is part of, its group or the run, fails too.
    case fail
    /// The step's output is null; one item of several is left out.
    case skip
    /// The step's output is this; one item of several has it in its place.
    case fallback(JSONValue)
}
