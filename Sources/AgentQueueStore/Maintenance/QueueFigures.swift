import AgentQueueModel
import Glibc

/// What monitoring is told. Read from maintained counts, never by counting jobs.
package struct QueueFigures: Sendable {
    package var lanes: [LaneSummary]
    /// How many jobs have ever ended in a final state.
    package var ended: [EndedJobs]
    /// The calls of all time, by target.
    package var calls: [TargetCalls]
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
    /// How long the commits of this process took.
    package var commits: DurationHistogram
    /// When this process last committed a change (wall clock, in milliseconds); nil if it has not.
    package var lastCommit: Int64?

    /// Jobs that have ended, whether or not they are still there.
    package struct EndedJobs: Sendable, Equatable {
        package var queue: String
        package var kind: JobKind
        package var state: JobState
        package var count: Int
    }
}

extension MaintenanceStore {
    /// - Parameter totals: what an earlier reading has added up of the calls; it is carried on, so that a reading takes the same time
    ///   however long the queue has been in use.
    package func figures(_ totals: inout CallTotals) throws -> QueueFigures {
        let now = clock.wall()
        let (commits, lastCommit) = store.engine.commitTimes.values
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
                lanes: lanes, ended: try QueueFigures.EndedJobs.all(reader), calls: try totals.carryOn(to: now, reader),
                oldestWaiting: oldest, resources: try store.providers.states(reader, withKeys: true),
                cacheHits: cache.hits, coalesced: cache.coalesced,
                workers: Int(try reader.statement("SELECT count(*) FROM workers").number() ?? 0),
                databaseBytes: pages.count * pages.size, walBytes: Self.size(of: path + "-wal"), freeBytes: pages.free * pages.size,
                commits: commits, lastCommit: lastCommit)
        }
    }
}

extension QueueFigures.EndedJobs {
    fileprivate static func all(_ reader: ReadConnection) throws -> [Self] {
        let states: [JobState] = [.completed, .cancelled, .discarded]
        var all: [Self] = []
        try reader.statement(
            """
            SELECT queue, kind, sum(completed + removed_completed), sum(cancelled + removed_cancelled), sum(discarded + removed_discarded)
            FROM lanes GROUP BY queue, kind
            """
        ).eachRow { row in
            let (queue, kind) = (row.text(0), JobKind(rawValue: row.text(1)) ?? .generate)
            for (column, state) in zip(CInt(2)..., states) where row.int(column) > 0 {
                all.append(Self(queue: queue, kind: kind, state: state, count: row.int(column)))
            }
        }
        return all
    }
}
