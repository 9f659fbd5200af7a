import AgentQueueModel
import GRDB
import GRDBSQLite
import Synchronization
import Testing

@testable import AgentQueueStore

/// The statements of the hot paths, as the store itself prepared them, use the indexes that were made for them.
@Suite struct QueryPlanTests {
    /// The SQL of every statement that the writer keeps.
    private func prepared(_ f: Fixture) async throws -> [String] {
        try await f.store.write { PreparedStatements.texts($0.connection.handle) }
    }

    /// Tables that grow with the work.
    private static let growing = [
        "jobs", "dependencies", "cache_entries", "results", "requests", "charges", "stream_chunks", "gateway_calls",
    ]

    private func plan(_ f: Fixture, _ sql: String) throws -> [String] {
        try f.raw().rows("EXPLAIN QUERY PLAN " + sql).compactMap { $0.last?.replacing("USING COVERING INDEX", with: "USING INDEX") }
    }

    /// Everything that has a plan has been done once.
    private func exercise(_ f: Fixture) async throws {
        let first = try await f.running { $0.maxAttempts = 9 }
        try await f.add {
            $0.after = [first.id]
            $0.expiresAt = f.clock.wall + 50_000
        }
        try await f.fail(first)
        try await f.add { $0.scheduledAt = f.clock.wall + 10 }
        f.clock.advance(10_000)
        _ = try await f.store.maintenance.promote()
        for _ in 0..<2 {
            let dead = try f.deadWorker()
            _ = try await f.claim(1, worker: dead)
            _ = try await f.store.maintenance.rescue()
        }
        for job in try await f.claim() { _ = try await f.complete(job, cacheFor: 10_000_000) }
        for job in try await f.claim() { _ = try await f.complete(job, cacheFor: 10_000_000) }
        // A call that was thought lost, under a limit that looks at each job.
        let limited = CallPolicies.limiting(["local": CallLimits(tokensPerMinute: 1_000_000, usdPerDay: 9)], tokens: 10, worst: 1)
        try await f.add {
            $0.isStreamed = true
            $0.batch = "b"
            $0.budget = 5
        }
        try await f.add { $0.budget = 5 }
        let lost = try await f.claim(limited, worker: try f.deadWorker(bootID: "an earlier boot"))
        for job in lost { _ = try await f.store.claims.appendStream(job.lease, "text") }
        _ = try await f.store.maintenance.rescue()
        for job in lost { try await f.answer(job, cost: 1) }
        try await f.cascade()
        let dependent = try await f.one()
        _ = try await f.store.claims.settle(.handBack(dependent, now: f.clock.wall))
        f.clock.advance(100_000)
        #expect(try await f.store.maintenance.expire() == 1)
        _ = try await f.store.maintenance.prune(
            PrunePolicy(completed: .max / 4, cancelled: .max / 4, discarded: .max / 4, maxCacheBytes: 1))
        for key in [nil, "k"] { try await f.submit("hello", samples: 2) { $0.idempotencyKey = key } }
    }

    @Test(
        arguments: [
            ("INDEXED BY jobs_available WHERE lane_id = ?5", ["SEARCH jobs USING INDEX jobs_available (lane_id=? AND priority<?)"]),
            ("INDEXED BY jobs_suspect WHERE lane_id = ?5", ["SEARCH jobs USING INDEX jobs_suspect (lane_id=? AND priority<?)"]),
            (
                "SELECT lanes.id, lanes.queue, lanes.provider",
                [
                    "SEARCH jobs USING INDEX jobs_available (lane_id=?)", "SEARCH jobs USING INDEX jobs_suspect (lane_id=?)",
                ]
            ),
            (
                "SELECT priority FROM jobs INDEXED BY jobs_available\nWHERE lane_id = ?",
                ["SEARCH jobs USING INDEX jobs_available (lane_id=?)"]
            ),
            ("AND scheduled_at <= ?2", ["SEARCH jobs USING INDEX jobs_waiting (state=? AND scheduled_at<?)"]),
            ("FROM jobs INDEXED BY jobs_running", ["SEARCH jobs USING INDEX jobs_running (worker_id=?)"]),
            (
                "WHERE expires_at IS NOT NULL AND finalized_at IS NULL AND expires_at <= ?",
                ["SEARCH jobs USING INDEX jobs_expiring (expires_at"]
            ),
            ("AND state = ?1 AND finalized_at <= ?2", ["SEARCH jobs USING INDEX jobs_final (state=? AND"]),
            ("UPDATE jobs SET state = 'completed'", ["SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)"]),
            ("SELECT 1 FROM dependencies WHERE depends_on = ?", ["SEARCH dependencies USING INDEX dependencies_upon (depends_on=?)"]),
            (
                "SELECT job_id FROM dependencies WHERE depends_on = ? AND met = ?",
                [
                    "SEARCH dependencies USING INDEX dependencies_upon (depends_on=? AND met=?)"
                ]
            ),
            (
                "FROM cache_entries WHERE digest = ? AND +expires_at > ?",
                ["SEARCH cache_entries USING INDEX sqlite_autoindex_cache_entries_1 (digest=?)"]
            ),
            ("FROM cache_entries ORDER BY last_used_at, id LIMIT", ["SCAN cache_entries USING INDEX cache_entries_used"]),
            (
                "FROM jobs INDEXED BY jobs_available\nWHERE lane_id = ? AND state = 'available' AND crashes < 2 AND priority <= ?",
                [
                    "SEARCH jobs USING INDEX jobs_available (lane_id=? AND priority<?)",
                    "SEARCH requests USING INTEGER PRIMARY KEY (rowid=?)",
                ]
            ),
            ("FROM reservations\nWHERE job_id", ["SEARCH reservations USING INTEGER PRIMARY KEY (rowid=?)"]),
            ("FROM resources WHERE name = ?", ["SEARCH resources USING PRIMARY KEY (name=?)"]),
            ("FROM charges INDEXED BY charges_doubtful", ["SEARCH charges USING INDEX charges_doubtful (job_id=? AND token=?)"]),
            ("DELETE FROM stream_chunks", ["SEARCH stream_chunks USING PRIMARY KEY (job_id=?)"]),
            ("coalesce(sum(cost_usd), 0.0) FROM job_errors", ["SEARCH job_errors USING INDEX job_errors_job (job_id=?)"]),
            (
                "WHERE attach = ? AND choice = 0",
                [
                    "SEARCH gateway_calls USING INDEX gateway_calls_attach (attach=?)",
                    "SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)",
                ]
            ),
            (
                "WHERE key_id = ? AND idempotency_key = ?",
                ["SEARCH gateway_calls USING INDEX gateway_calls_idempotency (key_id=? AND idempotency_key=?)"]
            ),
            ("SELECT id FROM lanes WHERE queue = ?", ["SEARCH lanes USING INDEX sqlite_autoindex_lanes_1"]),
        ] as [(String, [String])])
    func writingStatements(_ part: String, _ expected: [String]) async throws {
        try await withStore { f in
            try await exercise(f)
            let matching = try await prepared(f).filter { $0.contains(part) }
            #expect(!matching.isEmpty, "no statement of the store holds \(part)")
            for sql in matching {
                let plan = try plan(f, sql)
                for step in expected {
                    #expect(plan.contains { $0.hasPrefix(step) }, "\(plan)")
                }
                // Of the tables that grow with the work, none is walked but through an index, and none is sorted.
                let walks = plan.filter { step in
                    Self.growing.contains { step == "SCAN \($0)" }
                        || step.contains("TEMP B-TREE")
                }
                #expect(walks.isEmpty, "\(plan)")
            }
        }
    }

    /// What the readers run.
    @Test func readingStatements() async throws {
        try await withStore { f in
            let log = Log()
            // One reader at a time, so that each of them is traced.
            try f.store.read { $0.database.trace { event in log.note("\(event)") } }
            try await exercise(f)
            _ = try f.store.maintenance.nextDue()
            _ = try f.store.notifications.dueTargets()
            let expected = [
                ("FROM workers", "SEARCH jobs USING INDEX jobs_running (worker_id=?)"),
                ("cancel_requested_at IS NOT NULL", "SEARCH jobs USING INDEX jobs_running (worker_id=? AND cancel_requested_at>?)"),
                ("state = 'scheduled' AND state IN", "SEARCH jobs USING INDEX jobs_waiting"),
                ("state = 'retryable' AND state IN", "SEARCH jobs USING INDEX jobs_waiting"),
                ("SELECT 1 FROM jobs WHERE expires_at IS NOT NULL", "SEARCH jobs USING INDEX jobs_expiring (expires_at"),
                ("SELECT min(notification) FROM notices", "SEARCH notices USING INDEX notices_by_target (notification>?)"),
            ]
            for (part, step) in expected {
                let matching = log.statements.filter { $0.contains(part) }
                #expect(!matching.isEmpty, "no reader ran \(part)")
                for sql in matching {
                    let plan = try plan(f, sql)
                    #expect(plan.contains { $0.hasPrefix(step) }, "\(part): \(plan)")
                    #expect(!plan.contains("SCAN jobs"), "\(part): \(plan)")
                }
            }
        }
    }

    private final class Log: Sendable {
        private let texts = Mutex<Set<String>>([])
        var statements: Set<String> { texts.withLock { $0 } }
        func note(_ text: String) { texts.withLock { _ = $0.insert(text) } }
    }
}
