import AgentQueueModel
import GRDBSQLite
import Testing

@testable import AgentQueueStore

/// An answer that many wait for reaches them in slices.
@Suite struct FanOutTests {
    @Test func aCrowdLandsInSlices() async throws {
        try await withStore { f in
            let digest = [UInt8](repeating: 9, count: 32)
            let leader = try await f.running { $0.digest = digest }
            let crowd = try await f.add(250) { $0.digest = digest }
            #expect(try await f.claim().isEmpty)
            #expect(try f.store.maintenance.pending().hasFanOut == false)
            _ = try await f.complete(leader)
            func completed() throws -> Int { try f.states(crowd).count { $0 == .completed } }
            #expect(try completed() == 100)
            #expect(try f.store.maintenance.pending().hasFanOut)
            #expect(try f.store.maintenance.check().faults == [])
            #expect(try await f.store.maintenance.fanOut(slice: 60))
            #expect(try completed() == 160)
            // A job that asks the same meanwhile calls anew; the answer that is landing reaches those who follow it, too.
            let late = try await f.add(2) { $0.digest = digest }
            let second = try await f.claim()
            #expect(second.map(\.id) == [late[0]])
            try await f.fail(second[0], .permanent)
            // Its followers need no successor: an answer is on its way.
            #expect(try f.state(late[1]) == .pending)
            #expect(try f.states(crowd).allSatisfy { $0 == .completed || $0 == .pending })
            var slices = 0
            while try await f.store.maintenance.fanOut(slice: 60) { slices += 1 }
            #expect(slices == 2)
            #expect(try completed() == 250)
            #expect(try f.state(late[1]) == .completed)
            #expect(try f.count(of: "landings") == 0)
            #expect(try f.raw().value("SELECT value FROM counters WHERE name = 'coalesced'") == "251")
        }
    }

    /// The work that the writer's statements do, in steps of SQLite's machine.
    private func steps(_ f: Fixture, _ body: () async throws -> Void) async throws -> Int {
        _ = try await f.store.write(Self.takeSteps)
        try await body()
        return try await f.store.write(Self.takeSteps)
    }

    private static func takeSteps(_ transaction: WriteTransaction) -> Int {
        var sum = 0
        var statement = sqlite3_next_stmt(transaction.connection.handle, nil)
        while let handle = statement {
            sum += Int(sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_VM_STEP, 1))
            statement = sqlite3_next_stmt(transaction.connection.handle, handle)
        }
        return sum
    }

    /// A hundred thousand that wait cost other jobs nothing, and their answer no long transaction.
    @Test(.timeLimit(.minutes(2))) func aHundredThousandFollowers() async throws {
        try await withStore(durability: .normal) { f in
            func oneOfAnother() async throws -> Int {
                try await f.add()
                return try await steps(f) {
                    let job = try #require(try await f.claim(1).first)
                    _ = try await f.complete(job)
                }
            }
            let leader = try await f.running { $0.digest = [UInt8](repeating: 9, count: 32) }
            _ = try await oneOfAnother()
            let before = try await oneOfAnother()
            try f.raw().run(
                """
                BEGIN;
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
                INSERT INTO jobs (lane_id, state, priority, max_attempts, created_at, scheduled_at, digest)
                SELECT 1, 'pending', 5, 5, 0, 0, (SELECT digest FROM jobs WHERE id = 1) FROM n;
                INSERT INTO requests (job_id, body) SELECT id, '{}' FROM jobs WHERE state = 'pending';
                INSERT INTO followers (job_id, digest, lane_id, priority)
                SELECT id, digest, lane_id, priority FROM jobs WHERE state = 'pending';
                UPDATE lanes SET pending = pending + 100000;
                COMMIT;
                """)
            let beside = try await oneOfAnother()
            #expect(beside <= before + 20, "\(before) steps before, \(beside) beside the crowd")
            let twin = try await f.add { $0.digest = leader.digest }
            let following = try await steps(f) { _ = try await f.claim(1) }
            #expect(following < before * 2)
            #expect(try f.state(twin) == .pending)

            let answering = try await steps(f) { _ = try await f.complete(leader) }
            let landing = try await steps(f) { _ = try await f.store.maintenance.fanOut() }
            #expect(landing < answering * 3)
            var most = 0
            var slices = 1
            while true {
                var isMore = false
                most = max(most, try await steps(f) { isMore = try await f.store.maintenance.fanOut() })
                guard isMore else { break }
                slices += 1
            }
            #expect(most < landing + landing / 2, "\(landing) steps for the first slice, and \(most) for one")
            #expect(slices == 500)
            let completed = try f.raw().int("SELECT completed FROM lanes")
            #expect(completed == 100_005)
            #expect(try await oneOfAnother() <= before + 20)
        }
    }
}
