import JobModel

/// What is known of a call, by its record and its end.
struct KnownCall {
    var state: StepState
    var jobID: Int64?
    /// What it was answered with, where that was told just now.
    var text: String?
    /// Why it failed, where that is known.
    var message: String?
}
