/// One call of a step, as it is on record.
public struct StepRecord: Sendable, Equatable {
    /// Its place in the run, such as `refine/2/review[1]`: the same call always has the same path.
    public var path: String
    /// What makes it; nil where the call could not be made.
    public var jobID: Int64?
    /// What the run knows of it.
    public var state: StepState
    /// Why it failed, where no job of it can say.
    public var message: String?

    /// Makes a record.
    public init(path: String, jobID: Int64?, state: StepState, message: String? = nil) {
        self.path = path
        self.jobID = jobID
        self.state = state
        self.message = message
    }
}
