import JobModel

/// A call that may have been paid for although no answer came: its worker died, or its connection broke.
public struct DoubtfulCall: Sendable, Equatable {
    /// The job; it may be gone.
    public var jobID: Int64
    /// The attempt.
    public var attempt: Int
    /// What was called, `provider/model`.
    public var target: String
    /// When it was given up; wall clock, ms.
    public var at: Int64
    /// What it may have cost, in US dollars; 0 where that is not known.
    public var cost: Double
}
