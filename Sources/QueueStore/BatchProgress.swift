/// How far a batch is.
public struct BatchProgress: Sendable, Equatable {
    /// All its jobs.
    public var jobs: Int
    /// Those that were answered.
    public var completed: Int
    /// Those ended by a person, or by the end of a job they depend on.
    public var cancelled: Int
    /// Those that ended without an answer: failed for good, or expired.
    public var discarded: Int

    /// Jobs that have ended.
    public var ended: Int { completed + cancelled + discarded }
    /// Whether all have.
    public var isDone: Bool { ended >= jobs }
}
