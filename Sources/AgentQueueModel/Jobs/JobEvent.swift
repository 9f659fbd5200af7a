/// Something that happened to a job in a worker, for logs and progress displays. It holds no prompt and no reply.
public struct JobEvent: Sendable {
    /// The id of the job.
    public var job: Int64
    /// The provider and model it was sent to.
    public var target: Target
    /// The number of the attempt, from 1.
    public var attempt: Int
    /// The job's new state; nil if the lease was lost and the result was not recorded.
    public var state: JobState?
    /// Where the answer came from; nil if there is none.
    public var answeredBy: AnsweredBy?
    /// The kind of failure that ended the attempt; nil if the job was answered or handed back.
    public var failure: FailureClass?
    /// One sentence about the failure; nil if there is none.
    public var message: String?
    /// In ms.
    package var latency: Int64
    /// The tokens of the provider's answer; none if the cache answered or the call failed.
    public var usage: Usage
    /// The cost in US dollars; nil if the price is unknown.
    public var cost: Double?

    package init(
        job: Int64, target: Target, attempt: Int, state: JobState?, answeredBy: AnsweredBy?, failure: FailureClass?, message: String?,
        latency: Int64, usage: Usage, cost: Double?
    ) {
        self.job = job
        self.target = target
        self.attempt = attempt
        self.state = state
        self.answeredBy = answeredBy
        self.failure = failure
        self.message = message
        self.latency = latency
        self.usage = usage
        self.cost = cost
    }
}
