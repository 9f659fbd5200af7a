/// What a person's wish for one job came to.
public struct JobChange: Sendable, Equatable {
    /// The job.
    public var id: Int64
    /// What the wish came to.
    public var result: Result

    /// Says what a wish came to.
    package init(id: Int64, result: Result) {
        self.id = id
        self.result = result
    }

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

    /// Says how far a batch is.
    package init(jobs: Int, completed: Int, cancelled: Int, discarded: Int) {
        self.jobs = jobs
        self.completed = completed
        self.cancelled = cancelled
        self.discarded = discarded
    }

    /// Jobs that have ended.
    public var ended: Int { completed + cancelled + discarded }
    /// Whether all have.
    public var isDone: Bool { ended >= jobs }
}
