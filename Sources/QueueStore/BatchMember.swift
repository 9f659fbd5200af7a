import JobModel

/// A job of a provider's batch.
public struct BatchMember: Sendable, Equatable {
    /// The job as if it had been claimed: its attempt is the one that its item's end counts. Its lease has no token. Of a job that was
    /// deleted, the body is empty.
    public var job: ClaimedJob
    /// Whether the job no longer waits for its answer.
    public var isGivenUp: Bool
    /// Whether anyone waits for it: the job, or an identical one.
    public var isWanted: Bool
    /// When its deadline is near (wall clock, ms); nil if it has none.
    public var urgentAt: Int64?
}
