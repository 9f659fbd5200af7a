import JobModel

/// What a run does next.
public struct Decision: Sendable, Equatable {
    /// The calls that it begins.
    public var calls: [StepCall]
    /// How it ends; nil where it goes on.
    public var end: RunEnd?
    /// Whether it has more to begin than should be begun at once.
    public var isDue: Bool
    /// Calls that are forgotten, by path: a retry's.
    public var forgotten: [String]
    /// Calls whose jobs are given a new life, by path: a retry's.
    public var revived: [String]

    /// Makes a decision.
    public init(calls: [StepCall] = [], end: RunEnd? = nil, isDue: Bool = false, forgotten: [String] = [], revived: [String] = []) {
        self.calls = calls
        self.end = end
        self.isDue = isDue
        self.forgotten = forgotten
        self.revived = revived
    }
}
