/// `worker:` — how a worker process claims and runs jobs.
public struct WorkerSettings: Equatable, Sendable {
    /// Calls in flight in each process. Default 5, 1 to 1024.
    public var concurrency = 5
    /// Worker processes under one supervisor; 1 means no supervisor. Default 1, 1 to 64.
    public var processes = 1
    /// Most jobs in one claim of those that cannot share a call; free slots bound it too. Default 100, 1 to 10000.
    public var batchSize = 100
    /// How long a batchable job waits for company. Default 10 ms, 0 to `batchTimeout`.
    public var linger: Duration = .milliseconds(10)
    /// The most that `linger` may be set to. Default 5 s, 0 to 60 s.
    public var batchTimeout: Duration = .seconds(5)
    /// How long a claim holds without a heartbeat; heartbeats come every third of it. Default 30 s, 1 s to 24 h.
    public var lease: Duration = .seconds(30)
    /// How long running jobs may take to finish after SIGTERM. Default 30 s, 0 to 1 h.
    public var shutdownGrace: Duration = .seconds(30)

    /// Every value at its default.
    public init() {}
}
