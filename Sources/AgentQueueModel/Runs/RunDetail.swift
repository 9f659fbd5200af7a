/// A run with its calls. The texts of the calls are not included; their jobs have them.
public struct RunDetail: Sendable, Equatable {
    /// A summary of the run.
    public var summary: RunSummary
    /// The run's stored state.
    package var snapshot: RunSnapshot
    /// The output; nil unless the run has completed.
    public var output: JSONValue?
    /// The calls started so far, in the order they were started.
    public var calls: [StepCallDetail]

    package init(summary: RunSummary, snapshot: RunSnapshot, output: JSONValue?, calls: [StepCallDetail]) {
        self.summary = summary
        self.snapshot = snapshot
        self.output = output
        self.calls = calls
    }
}

/// A summary of a run.
public struct RunSummary: Sendable, Equatable {
    /// The run's id.
    public var id: Int64
    /// The name of the pipeline or mode that was asked for.
    public var name: String
    /// The state of the run.
    public var state: RunState
    /// When it started (wall clock, ms).
    package var createdAt: Int64
    /// When it ended (wall clock, ms).
    package var finalizedAt: Int64?
    /// The number of calls started so far.
    public var begun: Int
    /// The number of calls that have completed.
    public var completed: Int
    /// The number of calls that have failed.
    public var failed: Int
    /// The tokens of all answers that were paid for, including those that a retry replaced.
    public var usage: Usage
    /// The total cost of these answers and of all failed attempts, in US dollars, as far as it is known; nil if calls were made and the price
    /// of none is known.
    public var cost: Double?
    /// The number of calls whose price is unknown.
    public var unpricedCalls: Int
    /// Why the run did not complete; nil if there is no reason to give.
    public var reason: String?

    /// A summary of a run that has started no calls.
    package init(id: Int64, name: String, state: RunState, createdAt: Int64) {
        self.id = id
        self.name = name
        self.state = state
        self.createdAt = createdAt
        begun = 0
        completed = 0
        failed = 0
        usage = Usage()
        cost = 0
        unpricedCalls = 0
    }
}

/// A call of a step, with details from its job.
public struct StepCallDetail: Sendable, Equatable {
    /// The run's record of the call.
    package var record: StepRecord
    /// The state of its job; nil if there is none.
    package var jobState: JobState?
    /// The target it is sent to, `provider/model`.
    public var target: String?
    /// Where the answer came from; nil until there is one.
    public var answeredBy: AnsweredBy?
    /// The number of attempts started.
    public var attempts: Int
    /// When its job was added (wall clock, ms).
    package var createdAt: Int64?
    /// When its last attempt began (wall clock, ms).
    package var attemptedAt: Int64?
    /// When its job ended (wall clock, ms).
    package var finalizedAt: Int64?
    /// The tokens of its answer.
    public var usage: Usage
    /// The cost of its answer and its failed attempts, in US dollars, as far as it is known; nil if nothing of it is known.
    public var cost: Double?
    /// Its last failure, in a sentence.
    public var failure: String?

    package init(record: StepRecord) {
        self.record = record
        attempts = 0
        usage = Usage()
        cost = 0
    }
}
