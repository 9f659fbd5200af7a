import AgentQueueModel
import Glibc

/// What `stats` shows. Read from counts that are kept, never by counting.
package struct Statistics: Sendable, Equatable {
    /// Every queue with its lanes.
    package var queues: [QueueSummary]
    /// Jobs completed in the last full minute.
    package var completedLastMinute: Int
    /// Jobs completed in the last hour, the minute under way included.
    package var completedLastHour: Int
    /// Jobs discarded in the last hour.
    package var discardedLastHour: Int
    /// Latency of the latest 1,000 paid answers, in ms, at 50, 95 and 99 %; nil where there are none.
    package var latency: Percentiles?
    /// What the cache holds, and how often it answered.
    package var cache: CacheStatistics
    /// How many memories are stored, those included that have expired and are not pruned yet.
    package var memories: Int
    /// Their bytes: texts, metadata and vectors.
    package var memoryBytes: Int64
    /// The registered worker processes.
    package var workers: [WorkerSummary]
    /// The size of the database's file, in bytes.
    package var databaseBytes: Int64
    /// The write-ahead log's size, in bytes; 0 where there is none.
    package var walBytes: Int64
    /// The part of the database's file that is free, in bytes; `prune` gives it back.
    package var freeBytes: Int64
    /// Calls that may have been paid for although no answer came, of the last 90 days.
    package var maybePaidCalls: Int
    /// What they may have cost, in US dollars; it counts as spent.
    package var maybePaidUSD: Double
    /// How the providers and their targets stand, as far as anything is known of them.
    package var providers: [ProviderState]

    /// Three points of a distribution, in ms.
    package struct Percentiles: Sendable, Equatable {
        /// Half of the values are at most this.
        package var p50: Int64
        /// 95 % of the values are at most this.
        package var p95: Int64
        /// 99 % of the values are at most this.
        package var p99: Int64
    }

    /// Every lane.
    package var lanes: [LaneSummary] { queues.flatMap(\.lanes) }

    /// How many jobs are in a state.
    package func count(_ state: JobState) -> Int { lanes.reduce(0) { $0 + $1.count(state) } }
}

extension MaintenanceStore {
    /// What `stats` shows; at once, however many jobs there are.
    package func statistics() throws -> Statistics {
        let minute = clock.wall() / 60_000
        let queues = try store.jobs.queues()
        let workers = try workers()
        return try read { reader in
            let hour = try reader.statement(
                """
                SELECT coalesce(sum(completed) FILTER (WHERE minute = ?1 - 1), 0), coalesce(sum(completed), 0),
                coalesce(sum(discarded), 0) FROM minutes WHERE minute > ?1 - 60
                """
            ).bind(minute).first { (minute: $0.int(0), completed: $0.int(1), discarded: $0.int(2)) }
            let maybePaid = try ProviderStore.maybePaid(reader)
            let pages = try reader.pages()
            return Statistics(
                queues: queues, completedLastMinute: hour?.minute ?? 0, completedLastHour: hour?.completed ?? 0,
                discardedLastHour: hour?.discarded ?? 0, latency: try Self.latency(reader), cache: try CacheStore.statistics(reader),
                memories: Int(try Self.counter("memories", reader)), memoryBytes: try Self.counter("memory_bytes", reader),
                workers: workers, databaseBytes: pages.count * pages.size, walBytes: Self.size(of: path + "-wal"),
                freeBytes: pages.free * pages.size, maybePaidCalls: maybePaid.calls, maybePaidUSD: maybePaid.cost,
                providers: try store.providers.states(reader))
        }
    }

    private static func counter(_ name: String, _ reader: ReadConnection) throws(SQLFailure) -> Int64 {
        try reader.statement("SELECT value FROM counters WHERE name = ?").bind(name).number() ?? 0
    }

    private static func latency(_ reader: ReadConnection) throws -> Statistics.Percentiles? {
        let latencies = try reader.statement(
            """
            SELECT latency_ms FROM (SELECT id FROM jobs INDEXED BY jobs_final WHERE finalized_at IS NOT NULL AND state = 'completed'
                                    ORDER BY finalized_at DESC LIMIT 1000) AS latest
            JOIN results ON results.job_id = latest.id WHERE answered_by <> 'cache' ORDER BY latency_ms
            """
        ).all { $0.int64(0) }
        guard !latencies.isEmpty else { return nil }
        /// The nearest-rank percentile.
        func percentile(_ percent: Int) -> Int64 { latencies[max(0, (latencies.count * percent + 99) / 100 - 1)] }
        return Statistics.Percentiles(p50: percentile(50), p95: percentile(95), p99: percentile(99))
    }

    /// A file's size, from its directory entry: the files of a live database are opened by SQLite alone.
    private static func size(of path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }
}
