import JobModel

/// What a person's wish for one job came to.
public struct JobChange: Sendable, Equatable {
    /// The job.
    public var id: Int64
    /// What the wish came to.
    public var result: Result

    /// What it came to.
    public enum Result: Sendable, Equatable {
        /// The job is now in that state. For a cancelled job that is running, `running`: its worker will end it.
        case changed(JobState)
        /// The job stays in that state, where the wish means nothing.
        case unchanged(JobState)
        /// There is no such job (any more).
        case notFound
        /// It cannot be, for the reason given.
        case refused(String)
    }
}
