/// What a schedule's firing adds to the queue.
public enum Firing: Sendable, Equatable {
    /// A job.
    case job(NewJob)
    /// A run of a pipeline.
    case run(NewRun)
}
