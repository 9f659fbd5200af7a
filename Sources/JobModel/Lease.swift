/// A claim's right to its job. Every settle and heartbeat names it, and is refused once the job's token is another.
public struct Lease: Sendable, Hashable {
    /// The job.
    public let jobID: Int64
    /// From a counter that never repeats. (An attempt number can be given back, so it would be no token.)
    public let token: Int64

    /// Names a claim.
    public init(jobID: Int64, token: Int64) {
        self.jobID = jobID
        self.token = token
    }
}
