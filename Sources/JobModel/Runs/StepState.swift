/// What a run knows of one call of a step.
public enum StepState: String, Sendable {
    /// Its job has not ended, or the run was not told yet.
    case running
    /// Its job completed.
    case completed
    /// Its job was discarded or cancelled, or could not be made.
    case failed
}
