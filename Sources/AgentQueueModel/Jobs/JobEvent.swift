/// Something that happened to a job in a worker, for logs and the live line. Holds no prompt and no reply.
public struct JobEvent: Sendable {
    /// The job.
    public var job: Int64
    /// What it was sent to.
    public var target: Target
    /// The attempt's number, from 1.
    public var attempt: Int
    /// Its state now; nil where the fence refused the settle.
    public var state: JobState?
    /// Where the answer came from, if there is one.
    public var answeredBy: AnsweredBy?
    /// What kind of failure ended the attempt; nil where it was answered or handed back.
    public var failure: FailureClass?
    /// One sentence about the failure; nil where there is none.
    public var message: String?
    /// In ms.
    package var latency: Int64
    /// The tokens of the provider's answer; none where the cache answered or the call failed.
    public var usage: Usage
    /// US dollars.
    public var cost: Double

    /// Makes an event.
    package init(
        job: Int64, target: Target, attempt: Int, state: JobState?, answeredBy: AnsweredBy?, failure: FailureClass?, message: String?,
        latency: Int64, usage: Usage, cost: Double
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
