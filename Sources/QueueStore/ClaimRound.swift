import JobModel

/// What one round of claiming came to.
public struct ClaimRound: Sendable {
    /// The jobs, now under leases of one token.
    public var jobs: [ClaimedJob] = []
    /// The lanes of these that hold more jobs which could share their calls.
    public var lanesWithMore: Set<Int64> = []
    /// Jobs of the worker that run and whose cancellation is asked for.
    public var cancellations: [Lease] = []
    /// Whether a job waits that must run alone: the worker should let its others end and take none until it has.
    public var suspectWaits = false
    /// Whether the job claimed must run alone.
    public var runsAlone = false
    /// When a lane that was passed over may open (wall clock, ms); nil if none waits for a time.
    public var nextOpening: Int64?
}
