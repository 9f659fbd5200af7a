/// A run, in a line.
public struct RunSummary: Sendable, Equatable {
    /// Its id.
    public var id: Int64
    /// What was asked for: a pipeline's or a mode's name.
    public var name: String
    /// How it stands.
    public var state: RunState
    /// When it began (wall clock, ms).
    public var createdAt: Int64
    /// When it ended (wall clock, ms).
    public var finalizedAt: Int64?
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
    public init(id: Int64, name: String, state: RunState, createdAt: Int64) {
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
