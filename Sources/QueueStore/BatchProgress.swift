/// How far a batch is.
public struct BatchProgress: Sendable, Equatable {
    /// All its jobs.
    public var jobs: Int
    public var completed: Int
    public var cancelled: Int
    public var discarded: Int

    /// Jobs that have ended.
    public var ended: Int { completed + cancelled + discarded }
    /// Whether all have.
    public var isDone: Bool { ended >= jobs }
}
