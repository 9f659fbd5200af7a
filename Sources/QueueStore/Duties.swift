/// What there is to do for the queue's upkeep, as of one read.
public struct Duties: Sendable, Equatable {
    /// Whether a worker may have died, or lost its lease.
    public var mayRescue: Bool
    /// Whether a job that has not begun has expired.
    public var hasExpired: Bool
    /// Whether dependents have to be told of an end.
    public var hasCascade: Bool
    /// Whether an answer has come that more jobs wait for than its own transaction completed.
    public var hasLanding: Bool
    /// Whether a run is to be told of the end of a job, or has more to begin.
    public var hasDueRun: Bool
    /// Whether a run has ended whose calls are to be cancelled.
    public var hasSweep: Bool
    /// When the next scheduled or retryable job is due (wall clock, ms).
    public var nextDue: Int64?
    /// When the next schedule fires (wall clock, ms).
    public var nextFiring: Int64?
    /// When the next notice is to be told (wall clock, ms).
    public var nextNotice: Int64?

    /// Nothing to do, unless told.
    public init(
        mayRescue: Bool = false, hasExpired: Bool = false, hasCascade: Bool = false, hasLanding: Bool = false,
        hasDueRun: Bool = false, hasSweep: Bool = false, nextDue: Int64? = nil
    ) {
        self.mayRescue = mayRescue
        self.hasExpired = hasExpired
        self.hasCascade = hasCascade
        self.hasLanding = hasLanding
        self.hasDueRun = hasDueRun
        self.hasSweep = hasSweep
        self.nextDue = nextDue
    }
}
