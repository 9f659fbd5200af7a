/// What one transaction writes of a run: decided from a snapshot outside the transaction, and void if the run has changed since.
public struct RunAdvance: Sendable, Equatable {
    /// The run.
    public var run: Int64
    /// The snapshot's version.
    public var version: Int64
    /// The ends that it was told. Those of calls that could not be made become records of their own.
    public var told: [StepEnd]
    /// The calls that it begins.
    public var begun: [NewStep]
    /// How it ends; nil where it goes on.
    public var end: RunEnd?
    /// Whether it has more to begin than one transaction should add.
    public var isDue: Bool
    /// Calls that are forgotten, by path, so that they can be begun again: a retry's.
    public var forgotten: [String]
    /// Calls whose jobs are given a new life, by path: a retry's.
    public var revived: [String]

    /// Whether it takes up a run again that failed or was cancelled: a retry.
    public var resumes = false

    /// Makes an advance that does nothing.
    public init(run: Int64, version: Int64) {
        self.run = run
        self.version = version
        told = []
        begun = []
        isDue = false
        forgotten = []
        revived = []
    }
}
