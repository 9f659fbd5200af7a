/// What a worker has done so far.
public struct WorkerProgress: Sendable, Equatable {
    /// Jobs in flight now.
    public var running = 0
    /// Jobs answered, by the cache too.
    public var completed = 0
    /// Attempts that failed, whatever became of the job.
    public var failed = 0
    /// Jobs that the cache answered.
    public var cached = 0
    /// US dollars.
    public var cost = 0.0
}
