/// What cancelling, retrying or otherwise changing one job did.
public struct JobChange: Sendable, Equatable {
    /// The id of the job.
    public var id: Int64
    /// What happened to it.
    public var result: Result

    package init(id: Int64, result: Result) {
        self.id = id
        self.result = result
    }

    /// The outcome of a change.
    public enum Result: Sendable, Equatable {
        /// The job is now in this state. A cancelled job that is still running reports `running`: its worker will end it.
        case changed(JobState)
        /// The job stays in this state, because the change has no effect there.
        case unchanged(JobState)
        /// There is no such job, or no longer.
        case notFound
        /// The change is impossible, for the reason given.
        case refused(String)
    }
}

/// The progress of a batch.
public struct BatchProgress: Sendable, Equatable {
    /// The number of jobs in the batch.
    public var jobs: Int
    /// Jobs that have been answered.
    public var completed: Int
    /// Jobs cancelled by a person, or because a job they depend on did not complete.
    public var cancelled: Int
    /// Jobs that ended without an answer: they failed for good or expired.
    public var discarded: Int

    package init(jobs: Int, completed: Int, cancelled: Int, discarded: Int) {
        self.jobs = jobs
        self.completed = completed
        self.cancelled = cancelled
        self.discarded = discarded
    }

    /// The number of jobs that have ended.
    public var ended: Int { completed + cancelled + discarded }
    /// Whether every job has ended.
    public var isDone: Bool { ended >= jobs }
}
