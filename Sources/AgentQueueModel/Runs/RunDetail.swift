/// Everything about a run but the texts of its calls, which their jobs have.
public struct RunDetail: Sendable, Equatable {
    /// The run in a line.
    public var summary: RunSummary
    /// As ``RunSnapshot`` has it.
    package var snapshot: RunSnapshot
    /// What it brought, where it completed.
    public var output: JSONValue?
    /// The calls begun so far, in the order in which they were begun.
    public var calls: [StepCallDetail]

    /// Makes a detail.
    package init(summary: RunSummary, snapshot: RunSnapshot, output: JSONValue?, calls: [StepCallDetail]) {
        self.summary = summary
        self.snapshot = snapshot
        self.output = output
        self.calls = calls
    }
}

/// A run, in a line.
public struct RunSummary: Sendable, Equatable {
    /// Its id.
    public var id: Int64
    /// What was asked for: a pipeline's or a mode's name.
    public var name: String
    /// How it stands.
    public var state: RunState
    /// When it began (wall clock, ms).
    package var createdAt: Int64
    /// When it ended (wall clock, ms).
    package var finalizedAt: Int64?
    /// Calls begun so far.
    public var begun: Int
    /// Those that completed.
    public var completed: Int
    /// Those that failed.
    public var failed: Int
    /// The tokens of all answers that were paid for, those among them that a retry made anew.
    public var usage: Usage
    /// What they and all failed attempts cost, in US dollars.
    public var cost: Double
    /// Why it did not complete.
    public var reason: String?

    /// Makes a summary of a run that has begun nothing.
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
    }
}

/// A call of a step, with what its job has to say.
public struct StepCallDetail: Sendable, Equatable {
    /// What the run knows.
    package var record: StepRecord
    /// How its job stands; nil where there is none.
    package var jobState: JobState?
    /// What it is sent to.
    public var target: String?
    /// What answered; nil as long as nothing has.
    public var answeredBy: AnsweredBy?
    /// How many attempts were begun.
    public var attempts: Int
    /// When its job was added (wall clock, ms).
    package var createdAt: Int64?
    /// When its last attempt began (wall clock, ms).
    package var attemptedAt: Int64?
    /// When its job ended (wall clock, ms).
    package var finalizedAt: Int64?
    /// The tokens of its answer.
    public var usage: Usage
    /// What its answer and its failed attempts cost, in US dollars.
    public var cost: Double
    /// Its last failure, in a sentence.
    public var failure: String?

    /// Makes a detail of a call that has not begun.
    package init(record: StepRecord) {
        self.record = record
        attempts = 0
        usage = Usage()
        cost = 0
    }
}
