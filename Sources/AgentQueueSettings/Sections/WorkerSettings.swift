import AgentQueueModel

/// `worker:` — how a worker process claims and runs jobs.
package struct WorkerSettings: Equatable, Sendable {
    /// Calls in flight in each process. Default 5, 1 to 1024.
    package var concurrency = 5
    /// Worker processes under one supervisor; 1 means no supervisor. Default 1, 1 to 64.
    package var processes = 1
    /// Maximum jobs in one claim, of jobs that cannot share a call; free slots limit it too. Default 100, 1 to 10000.
    package var batchSize = 100
    /// How long a batchable job waits for others to share its call. Default 10 ms, 0 to `batchTimeout`.
    package var linger: Duration = .milliseconds(10)
    /// The highest value allowed for `linger`. Default 5 s, 0 to 60 s.
    package var batchTimeout: Duration = .seconds(5)
    /// How long a claim is valid without a heartbeat; heartbeats are sent three times per lease. Default 30 s, 1 s to 24 h.
    package var lease: Duration = .seconds(30)
    /// How long running jobs may take to finish after SIGTERM. Default 30 s, 0 to 1 h.
    package var shutdownGrace: Duration = .seconds(30)

    package init() {}
}

/// `http:` — the HTTP client that all providers share.
package struct HTTPSettings: Equatable, Sendable {
    /// Maximum open connections per host. Default 100, 1 to 10000. A worker that makes more calls at once opens as many as it needs.
    package var connectionPoolSize = 100
    /// How long opening a connection may take. Default 30 s, 100 ms to 10 min.
    package var connectTimeout: Duration = .seconds(30)
    /// How long a whole call may take. Default 10 min, 100 ms to 24 h.
    package var requestTimeout: Duration = .seconds(600)
    /// How long a streamed answer may take to begin. Default 5 min, 100 ms to 24 h.
    package var firstByteTimeout: Duration = .seconds(300)
    /// How long a streamed answer may be silent once it has begun. Default 2 min, 100 ms to 24 h.
    package var idleTimeout: Duration = .seconds(120)
    /// Retries of a connection that failed before any byte was sent; the queue makes all other retries. Default 3, 0 to 10.
    package var maxRetries = 3
    /// Proxies and certificates, where a provider has none of its own.
    package var connection = ConnectionSettings()

    package init() {}
}

/// `breaker:` — when a lane stops calling a provider that keeps failing.
package struct BreakerSettings: Equatable, Sendable {
    /// The share of failed calls within `window` that opens the breaker. Default 0.5, 0.01 to 1.
    package var failureRate = 0.5
    /// How far back calls count. Default 60 s, 1 s to 1 h.
    package var window: Duration = .seconds(60)
    /// Consecutive failures that open the breaker. Default 5, 1 to 1000.
    package var consecutive = 5
    /// How long an open breaker waits before its single probe. Default 30 s, 100 ms to 24 h.
    package var openFor: Duration = .seconds(30)

    package init() {}
}
