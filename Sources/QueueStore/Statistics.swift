import JobModel

/// What `stats` shows. Read from counts that are kept, never by counting.
public struct Statistics: Sendable, Equatable {
    /// Every queue with its lanes.
    public var queues: [QueueSummary]
    /// Jobs completed in the last full minute, and in the last hour.
    public var completedLastMinute: Int
    public var completedLastHour: Int
    /// Jobs discarded in the last hour.
    public var discardedLastHour: Int
    /// Latency of the latest 1,000 paid answers, in ms, at 50, 95 and 99 %; nil where there are none.
    public var latency: Percentiles?
    public var cache: CacheStatistics
    public var workers: [WorkerSummary]
    /// The database's file, its log, and the part of the file that is free, in bytes.
    public var databaseBytes: Int64
    public var walBytes: Int64
    public var freeBytes: Int64

    /// Three points of a distribution, in ms.
    public struct Percentiles: Sendable, Equatable {
        public var p50: Int64
        public var p95: Int64
        public var p99: Int64
    }

    /// Every lane.
    public var lanes: [LaneSummary] { queues.flatMap(\.lanes) }

    /// How many jobs are in a state.
    public func count(_ state: JobState) -> Int { lanes.reduce(0) { $0 + $1.count(state) } }
}
