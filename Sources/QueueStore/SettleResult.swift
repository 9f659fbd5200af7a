import JobModel

/// What a settle came to.
public enum SettleResult: Sendable, Equatable {
    /// The job is now in that state.
    case settled(JobState)
    /// The fence refused it: the lease's token is no longer the job's. What was paid for is in the cache all the same.
    case fenced
    /// Its run has changed since what it does next was decided: nothing was written.
    case stale
}
