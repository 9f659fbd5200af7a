import AgentQueueModel
import Glibc

/// What monitoring is told. Read from maintained counts, never by counting jobs.
package struct QueueFigures: Sendable {
    package var lanes: [LaneSummary]
    /// The age of the oldest job that is ready, in ms, by queue.
    package var oldestWaiting: [String: Int64]
    /// Providers, targets and keys.
    package var resources: [ProviderState]
    /// How many jobs the cache has answered, ever.
    package var cacheHits: Int
    /// How many jobs an identical job's call has answered, ever.
    package var coalesced: Int
    /// Registered worker processes.
    package var workers: Int
    package var databaseBytes: Int64
    package var walBytes: Int64
    /// The bytes of free pages in the database file.
    package var freeBytes: Int64
}

extension MaintenanceStore {
    package func figures() throws -> QueueFigures {
        let now = clock.wall()
        return try read { reader in
            let lanes = try LaneSummary.fetchAll(reader)
            // Within a priority, the job with the lowest id is the oldest.
            let head = try reader.statement(
                """
                SELECT created_at FROM jobs INDEXED BY jobs_available
                WHERE lane_id = ? AND state = 'available' AND crashes < 2 AND priority = ? ORDER BY id LIMIT 1
                """)
            var oldest: [String: Int64] = [:]
            for lane in lanes where lane.count(.available) > 0 {
                for priority in JobLimits.priorities {
                    guard let since = try head.bind(lane.id).bind(priority).first({ $0.int64(0) }) else { continue }
                    oldest[lane.queue] = max(oldest[lane.queue] ?? 0, max(0, now - since))
                }
            }
            let cache = try CacheStore.statistics(reader)
            let pages = try reader.pages()
            return QueueFigures(
                lanes: lanes, oldestWaiting: oldest, resources: try store.providers.states(reader, withKeys: true),
                cacheHits: cache.hits, coalesced: cache.coalesced,
                workers: Int(try reader.statement("SELECT count(*) FROM workers").number() ?? 0),
                databaseBytes: pages.count * pages.size, walBytes: Self.size(of: path + "-wal"), freeBytes: pages.free * pages.size)
        }
    }
}
