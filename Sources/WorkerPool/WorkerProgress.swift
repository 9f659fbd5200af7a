/// What a worker has done so far.
public struct WorkerProgress: Sendable, Equatable {
    public var running = 0
    public var completed = 0
    /// Attempts that failed, whatever became of the job.
    public var failed = 0
    public var cached = 0
    /// US dollars.
    public var cost = 0.0
}
