import AgentQueueModel
import Glibc

/// What `stats` shows. Read from maintained counts, never by counting rows.
package struct Statistics: Sendable, Equatable {
    /// Every queue with its lanes.
    package var queues: [QueueSummary]
    /// Jobs completed in the last 60 seconds; estimated from the counts of minutes where there are many.
    package var completedLastMinute: Int
    /// Jobs completed in the last hour, including the current minute.
    package var completedLastHour: Int
    /// Jobs discarded in the last hour.
    package var discardedLastHour: Int
    /// Latency of the latest 1,000 paid answers, in ms, at 50, 95 and 99 %; nil if there are none.
    package var latency: Percentiles?
    /// The size of the cache, and how often it answered.
    package var cache: CacheStatistics
    /// The number of stored memories, including expired ones that are not yet pruned.
    package var memories: Int
    /// The bytes of their texts, metadata and vectors.
    package var memoryBytes: Int64
    /// The registered worker processes.
    package var workers: [WorkerSummary]
    /// The size of the database file, in bytes.
    package var databaseBytes: Int64
    /// The size of the write-ahead log, in bytes; 0 if there is none.
    package var walBytes: Int64
    /// The bytes of free pages in the database file. Pruning returns them to the file system.
    package var freeBytes: Int64
    /// Calls of the last 90 days that may have been paid for although no answer arrived.
    package var maybePaidCalls: Int
    /// How many of them have no known price.
    package var maybePaidUnpriced: Int
    /// The possible cost of the others in US dollars, which counts as spent.
    package var maybePaidUSD: Double
    /// The status of the providers and their targets, as far as it is known.
    package var providers: [ProviderState]

    /// Three percentiles of a distribution, in ms.
    package struct Percentiles: Sendable, Equatable {
        package var p50: Int64
        package var p95: Int64
        package var p99: Int64
    }

    /// What the possibly charged calls may have cost, as far as it is known; nil if nothing of it is known.
    package var maybePaid: Double? { Money.sum(maybePaidUSD, calls: maybePaidCalls, unpriced: maybePaidUnpriced) }

    /// Whether money may have been spent for no answer. It was not where every such call is known to be free, as on a server of one's own.
    package var mayHaveBeenCharged: Bool { maybePaidUnpriced > 0 || maybePaidUSD > 0 }

    /// The lanes of all queues.
    package var lanes: [LaneSummary] { queues.flatMap(\.lanes) }

    /// How many jobs are in a state.
    package func count(_ state: JobState) -> Int { lanes.reduce(0) { $0 + $1.count(state) } }
}

extension MaintenanceStore {
    /// What `stats` shows. Takes the same time however many jobs there are.
    package func statistics() throws -> Statistics {
        let now = clock.wall()
        let minute = now / 60_000
        let queues = try store.jobs.queues()
        let workers = try workers()
        return try read { reader in
            let hour = try reader.statement(
                """
                SELECT coalesce(sum(completed) FILTER (WHERE minute = ?1), 0), coalesce(sum(completed) FILTER (WHERE minute = ?1 - 1), 0),
                coalesce(sum(completed), 0), coalesce(sum(discarded), 0) FROM minutes WHERE minute > ?1 - 60
                """
            ).bind(minute).first { (present: $0.int(0), before: $0.int(1), completed: $0.int(2), discarded: $0.int(3)) }
            let completed = try Self.completedLastMinute(now: now, present: hour?.present ?? 0, before: hour?.before ?? 0, reader)
            let maybePaid = try ProviderStore.maybePaid(reader)
            let pages = try reader.pages()
            return Statistics(
                queues: queues, completedLastMinute: completed, completedLastHour: hour?.completed ?? 0,
                discardedLastHour: hour?.discarded ?? 0, latency: try Self.latency(reader), cache: try CacheStore.statistics(reader),
                memories: Int(try Self.counter("memories", reader)), memoryBytes: try Self.counter("memory_bytes", reader),
                workers: workers, databaseBytes: pages.count * pages.size, walBytes: Self.size(of: path + "-wal"),
                freeBytes: pages.free * pages.size, maybePaidCalls: maybePaid.calls, maybePaidUnpriced: maybePaid.unpriced,
                maybePaidUSD: maybePaid.cost,
                providers: try store.providers.states(reader))
        }
    }

    /// Counting more rows than this would take longer than the figure is worth.
    private static let maxCounted = 20_000

    private static func completedLastMinute(now: Int64, present: Int, before: Int, _ reader: ReadConnection) throws(SQLFailure) -> Int {
        guard present + before > maxCounted else {
            return Int(
                try reader.statement(
                    "SELECT count(*) FROM jobs WHERE finalized_at IS NOT NULL AND state = 'completed' AND finalized_at > ?"
                ).bind(now - 60_000).number() ?? 0)
        }
        let share = Double(60_000 - now % 60_000) / 60_000
        return present + Int((Double(before) * share).rounded())
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

    /// A file's size from its directory entry: only SQLite may open the files of a live database.
    static func size(of path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }
}
