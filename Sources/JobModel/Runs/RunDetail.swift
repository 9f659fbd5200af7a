/// Everything about a run but the texts of its calls, which their jobs have.
public struct RunDetail: Sendable, Equatable {
    /// The run in a line.
    public var summary: RunSummary
    /// As ``RunSnapshot`` has it.
    public var snapshot: RunSnapshot
    /// What it brought, where it completed.
    public var output: JSONValue?
    /// The calls begun so far, in the order in which they were begun.
    public var calls: [StepCallDetail]

    /// Makes a detail.
    public init(summary: RunSummary, snapshot: RunSnapshot, output: JSONValue?, calls: [StepCallDetail]) {
        self.summary = summary
        self.snapshot = snapshot
        self.output = output
        self.calls = calls
    }
}
