import JobModel

/// What `stats` shows. Read from counts that are kept, never by counting.
public struct Statistics: Sendable, Equatable {
    /// Every queue with its lanes.
    public var queues: [QueueSummary]
    /// Jobs completed in the last full minute.
    public var completedLastMinute: Int
    /// Jobs completed in the last hour, the minute under way included.
    public var completedLastHour: Int
    /// Jobs discarded in the last hour.
    public var discardedLastHour: Int
    /// Latency of the latest 1,000 paid answers, in ms, at 50, 95 and 99 %; nil where there are none.
    public var latency: Percentiles?
    /// What the cache holds, and how often it answered.
    public var cache: CacheStatistics
    /// How many memories are stored, those included that have expired and are not pruned yet.
    public var memories: Int
    /// Their bytes: texts, metadata and vectors.
    public var memoryBytes: Int64
    /// The registered worker processes.
    public var workers: [WorkerSummary]
    /// The size of the database's file, in bytes.
    public var databaseBytes: Int64
    /// The write-ahead log's size, in bytes; 0 where there is none.
    public var walBytes: Int64
    /// The part of the database's file that is free, in bytes; `prune` gives it back.
    public var freeBytes: Int64
    /// Calls that may have been paid for although no answer came, of the last 90 days.
    public var maybePaidCalls: Int
    /// What they may have cost, in US dollars; it counts as spent.
    public var maybePaidUSD: Double
    /// How the providers and their targets stand, as far as anything is known of them.
    public var providers: [ProviderState]

    /// Three points of a distribution, in ms.
    public struct Percentiles: Sendable, Equatable {
        /// Half of the values are at most this.
        public var p50: Int64
        /// 95 % of the values are at most this.
        public var p95: Int64
        /// 99 % of the values are at most this.
        public var p99: Int64
    }

    /// Every lane.
    public var lanes: [LaneSummary] { queues.flatMap(\.lanes) }

    /// How many jobs are in a state.
    public func count(_ state: JobState) -> Int { lanes.reduce(0) { $0 + $1.count(state) } }
}
