/// The end of one call of a step, as it is told to its run.
public struct StepEnd: Sendable, Equatable {
    /// The call's place in the run.
    public var path: String
    /// The job that made it; nil where it could not be made.
    public var jobID: Int64?
    /// What came of it.
    public var outcome: Outcome

    /// What came of a call.
    public enum Outcome: Sendable, Equatable {
        /// The reply's text.
        case completed(text: String)
        /// Why there is none, in a sentence.
        case failed(message: String)
    }

    /// Makes an end.
    public init(path: String, jobID: Int64?, outcome: Outcome) {
        self.path = path
        self.jobID = jobID
        self.outcome = outcome
    }
}
