/// A call of a step, with what its job has to say.
public struct StepCallDetail: Sendable, Equatable {
    /// What the run knows.
    public var record: StepRecord
    /// How its job stands; nil where there is none.
    public var jobState: JobState?
    /// What it is sent to.
    public var target: String?
    /// What answered; nil as long as nothing has.
    public var answeredBy: AnsweredBy?
    /// How many attempts were begun.
    public var attempts: Int
    /// When its job was added (wall clock, ms).
    public var createdAt: Int64?
    /// When its last attempt began (wall clock, ms).
    public var attemptedAt: Int64?
    /// When its job ended (wall clock, ms).
    public var finalizedAt: Int64?
    /// The tokens of its answer.
    public var usage: Usage
    /// What its answer and its failed attempts cost, in US dollars.
    public var cost: Double
    /// Its last failure, in a sentence.
    public var failure: String?

    /// Makes a detail of a call that has not begun.
    public init(record: StepRecord) {
        self.record = record
        attempts = 0
        usage = Usage()
        cost = 0
    }
}
