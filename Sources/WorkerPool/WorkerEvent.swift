import JobModel

/// Something that happened to a job in a worker, for logs and the live line. Holds no prompt and no reply.
public struct WorkerEvent: Sendable {
    /// The job.
    public var job: Int64
    /// What it was sent to.
    public var target: Target
    public var attempt: Int
    /// Its state now; nil where the fence refused the settle.
    public var state: JobState?
    /// Where the answer came from, if there is one.
    public var answeredBy: AnsweredBy?
    public var failure: FailureClass?
    public var message: String?
    /// In ms.
    public var latency: Int64
    public var usage: Usage
    /// US dollars.
    public var cost: Double
}
