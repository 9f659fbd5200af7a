import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueStore

/// `check` finds what it promises to find.
@Suite struct CheckTests {
    private func store(_ body: (QueueStore, RawConnection) async throws -> Void) async throws {
        try await withFolder { folder in
            let store = try QueueStore(path: folder + "/q.db", options: StoreOptions(durability: .normal))
            defer { store.close() }
            let worker = try await store.claims.registerWorker().id
            let receipts = try await store.jobs.enqueue((0..<8).map { index in .with(.asking("\(index)")) { $0.batch = "b" } })
            _ = try await store.jobs.enqueue(.with(.asking("p")) { $0.after = [receipts[7].id] })
            let request = ClaimRequest(worker: worker, queues: nil, providers: ["local"], slots: 4, lease: 60_000, isIdle: true)
            let jobs = try await store.claims.claim(request).jobs
            var answer = SettleRequest.answer(jobs[0], cacheFor: 1_000)
            answer.call = CallReport(target: jobs[0].route, cost: 0.25)
            _ = try await store.claims.settle(answer)
            _ = try await store.claims.settle(.failure(jobs[1], .permanent, now: 0))
            _ = try await store.claims.settle(.failure(jobs[2], .retryable, now: 0))
            // And one that something is set aside for.
            _ = try await store.jobs.enqueue(
                .with(.asking("held", of: "other/m")) {
                    $0.batch = "held"
                    $0.isStreamed = true
                    $0.budget = 9
                })
            var held = request
            held.providers = ["other"]
            held.policies = .limiting(["other": CallLimits(usdPerDay: 5)], worst: 0.5)
            #expect(try await store.claims.claim(held).jobs.map(\.id) == [10])
            #expect(try store.maintenance.check().faults == [])
            #expect(try store.maintenance.check().isSound)
            let raw = try RawConnection(folder + "/q.db")
            try raw.run("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF")
            try await body(store, raw)
        }
    }

    @Test(arguments: [
        ("UPDATE jobs SET finalized_at = 1 WHERE id = 5", "finalized_at contradicts the state: id 5"),
        ("UPDATE jobs SET finalized_at = NULL WHERE id = 1", "finalized_at contradicts the state: id 1"),
        ("UPDATE jobs SET lease_expires_at = NULL WHERE id = 4", "a running job has no lease: id 4"),
        ("UPDATE jobs SET token = NULL WHERE id = 4", "a running job has no lease: id 4"),
        ("UPDATE jobs SET worker_id = NULL WHERE id = 4", "a running job has no lease: id 4"),
        ("INSERT INTO results (job_id, reply, answered_by, target) VALUES (99, '{}', 'cache', 'x')", "a result has no job: job_id 99"),
        (
            "INSERT INTO results (job_id, reply, answered_by, target) VALUES (5, '{}', 'cache', 'x')",
            "a job that has not completed has a result: job_id 5"
        ),
        ("DELETE FROM results WHERE job_id = 1", "a completed job has no result: id 1"),
        ("DELETE FROM requests WHERE job_id = 6", "a job has no request: id 6"),
        ("UPDATE counters SET value = 0 WHERE name = 'token'", "a token is ahead of its counter: id 4"),
        ("DELETE FROM dependencies", "a pending job waits for nothing: id 9"),
        ("UPDATE dependencies SET met = 1", "a pending job waits for nothing: id 9"),
        ("UPDATE lanes SET available = available + 1", "a lane's count is wrong: id 1, name \"available\", kept 5, found 4"),
        ("UPDATE lanes SET running = 0", "a lane's count is wrong: id 1, name \"running\", kept 0, found 1"),
        ("UPDATE jobs SET state = 'available' WHERE id = 3", "a lane's count is wrong: id 1, name \"available\", kept 4, found 5"),
        ("DELETE FROM jobs WHERE id = 5", "a lane's count is wrong: id 1, name \"available\", kept 4, found 3"),
        ("DELETE FROM jobs WHERE id = 5", "a row of requests names a jobs that does not exist"),
        ("UPDATE batches SET jobs = 7", "a batch's count is wrong: id 1, kept 7, found 8"),
        ("UPDATE batches SET completed = 0", "a batch's count is wrong: id 1, kept 8, found 8"),
        ("UPDATE counters SET value = 5 WHERE name = 'cache_entries'", "a count of the cache is wrong: name \"cache_entries\", value 5"),
        ("DELETE FROM cache_entries", "a count of the cache is wrong: name \"cache_bytes\""),
        ("DELETE FROM reservations", "a provider's count of calls under way is wrong: name \"other\", kept 1, found 0"),
        ("DELETE FROM reservations", "a provider's money set aside is wrong: name \"other/m\", kept 0.5, found 0.0"),
        ("DELETE FROM reservations", "a batch's money set aside is wrong: id 2, kept 0.5, found 0.0"),
        ("UPDATE reservations SET token = 1", "something is set aside for a call that is not under way: job_id 10"),
        ("UPDATE reservations SET job_id = 4, target = 'third/m'", "something is set aside at a provider that is not known: job_id 4"),
        ("UPDATE resources SET running = 2 WHERE name = 'other/m'", "a provider's count of calls under way is wrong: name \"other/m\""),
        ("UPDATE resources SET trials = 1 WHERE name = 'local'", "a provider's count of calls on trial is wrong: name \"local\""),
        (
            "UPDATE resources SET breaker = 'half_open', breaker_probe = 3",
            "a breaker waits for a probe that is not under way: name \"local\""
        ),
        (
            "UPDATE resources SET spent_usd = 1",
            "what a provider cost on a day is not the sum of its charges: name \"local\", kept 1.0, found 0.25"
        ),
        ("DELETE FROM charges", "what a provider cost on a day is not the sum of its charges: name \"local/m\", kept 0.25, found 0.0"),
        ("UPDATE batches SET spent_usd = 0", "what a batch cost is not the sum of its charges: id 1, kept 0.0, found 0.25"),
        ("INSERT INTO streams (job_id) VALUES (1)", "a job that has ended has a stream: job_id 1"),
        ("UPDATE jobs SET lane_id = 77 WHERE id = 5", "a row of jobs names a lanes that does not exist"),
    ])
    func aPlantedFaultIsFound(_ sql: String, _ sentence: String) async throws {
        try await store { store, raw in
            try raw.run(sql)
            let report = try store.maintenance.check()
            #expect(!report.isSound)
            #expect(report.faults.contains { $0.hasPrefix(sentence) }, "\(report.faults)")
        }
    }

    /// An index that lacks a row: only SQLite's own check sees that.
    @Test func aBrokenIndexIsFound() async throws {
        try await store { store, raw in
            try raw.run(
                """
                PRAGMA writable_schema = ON;
                CREATE TABLE stolen AS SELECT sql FROM sqlite_master WHERE name = 'jobs_batch';
                DELETE FROM sqlite_master WHERE name = 'jobs_batch' AND type = 'index';
                PRAGMA writable_schema = RESET;
                """)
            let report = try store.maintenance.check()
            #expect(report.faults.contains { $0.hasPrefix("integrity: ") }, "\(report.faults)")
        }
    }

    @Test func faultsAreBounded() async throws {
        try await store { store, raw in
            _ = try await store.jobs.enqueue((0..<500).map { .asking("more \($0)") })
            try raw.run("DELETE FROM requests")
            let report = try store.maintenance.check()
            #expect(report.faults.count >= 20 && report.faults.count < 200)
        }
    }

    @Test func tellsWhetherCheckpointsAreGuarded() async throws {
        try await store { store, _ in
            let report = try store.maintenance.check()
            #expect(report.sqliteVersion.hasPrefix("3."))
            let numbers = report.sqliteVersion.split(separator: ".").compactMap { CInt($0) }
            #expect(report.guardsCheckpoints == !Checkpoints.hasWALResetFix(numbers[0] * 1_000_000 + numbers[1] * 1_000 + numbers[2]))
        }
    }
}
