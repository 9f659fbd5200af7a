/// A call that a run begins.
public struct NewStep: Sendable, Equatable {
    /// Its place in the run.
    public var path: String
    /// What makes it.
    public var job: NewJob

    /// Makes one.
    public init(path: String, job: NewJob) {
        self.path = path
        self.job = job
    }
}
