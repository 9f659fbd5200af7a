import AgentQueueModel
import Testing

@testable import AgentQueueStore

@Suite struct PruneTests {
    private static let hour: Int64 = 3_600_000
    private let policy = PrunePolicy(completed: hour, cancelled: 2 * hour, discarded: 3 * hour)

    /// Jobs of every final state that ended now.
    private func end(_ f: Fixture, _ count: Int, batch: String? = nil) async throws {
        for state in [JobState.completed, .cancelled, .discarded] {
            _ = try await f.store.jobs.enqueue(
                (0..<count).map { _ in
                    .with(f) {
                        $0.batch = batch
                        $0.tags = ["t"]
                    }
                })
            let jobs = try await f.claim(count)
            let now = f.clock.wall
            try await withThrowingTaskGroup(of: Void.self) { group in
                for job in jobs {
                    group.addTask {
                        switch state {
                        case .completed: _ = try await f.complete(job)
                        case .cancelled: _ = try await f.store.claims.settle(.failure(job, .cancelled, now: now))
                        default: _ = try await f.store.claims.settle(.failure(job, .permanent, now: now))
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func whatHasHadItsTimeGoes() async throws {
        try await withStore(durability: .normal) { f in
            try await end(f, 230, batch: "b")
            let live = [try await f.running().id, try await f.add()]
            let start = f.clock.wall
            for (time, counts) in [
                (Self.hour - 1, [230, 230, 230]), (Self.hour, [0, 230, 230]), (2 * Self.hour, [0, 0, 230]), (3 * Self.hour, [0, 0, 0]),
            ] {
                f.clock.wall = start + time
                let before = try f.store.maintenance.statistics()
                let prospect = try await f.store.maintenance.prune(policy, dryRun: true)
                #expect(try f.store.maintenance.statistics().lanes == before.lanes, "a dry run removes nothing")
                let report = try await f.store.maintenance.prune(policy)
                #expect(report.jobs == prospect.jobs)
                let after = try f.store.maintenance.statistics()
                #expect([JobState.completed, .cancelled, .discarded].map(after.count) == counts)
                #expect(try f.store.maintenance.check().faults == [])
            }
            #expect(try f.states(live).allSatisfy { $0 != nil })
            let raw = try f.raw()
            for table in ["results", "job_errors"] { #expect(try raw.int("SELECT count(*) FROM \(table)") == 0) }
            #expect(try raw.int("SELECT count(*) FROM requests") == 2)
            // What was answered, and what it cost, is not forgotten.
            #expect(try f.store.jobs.lanes().first?.calls == 230)
        }
    }

    @Test func whatOthersNeedIsKept() async throws {
        try await withStore { f in
            let first = try await f.add()
            let second = try await f.add { $0.after = [first] }
            _ = try await f.complete(f.one())
            try await f.cascade()
            f.clock.wall += 10 * Self.hour
            #expect(try await f.store.maintenance.prune(policy, dryRun: true).jobs == 0)
            #expect(try await f.store.maintenance.prune(policy).jobs == 0)
            _ = try await f.complete(f.one())
            #expect(try await f.store.maintenance.prune(policy).jobs == 1)
            #expect(try f.states([first, second]) == [nil, .completed])
            f.clock.wall += 10 * Self.hour
            #expect(try await f.store.maintenance.prune(policy).jobs == 1)
        }
    }

    /// More than a slice of jobs that must be kept does not keep the walk from what is behind them.
    @Test func whatIsKeptDoesNotHoldUpTheRest() async throws {
        try await withStore(durability: .normal) { f in
            try await end(f, 300)
            let completed = try f.store.jobs.list(JobFilter(states: [.completed]), limit: 300, after: 0).map(\.id)
            try await f.add {
                $0.after = completed
                $0.scheduledAt = f.clock.wall + 100 * Self.hour
            }
            f.clock.wall += 1
            try await f.add { $0.priority = 1 }
            _ = try await f.complete(f.one())
            f.clock.wall += Self.hour
            #expect(try await f.store.maintenance.prune(policy).jobs == 1)
            #expect(try f.store.maintenance.statistics().count(.completed) == 300)
        }
    }

    @Test func emptyBatchesGo() async throws {
        try await withStore { f in
            try await end(f, 1, batch: "old")
            f.clock.wall += 25 * Self.hour
            try await end(f, 1, batch: "new")
            _ = try await f.store.maintenance.prune(policy)
            #expect(try f.store.jobs.batch(named: "old") == nil)
            #expect(try f.store.jobs.batch(named: "new")?.jobs == 3)
            try await f.add { $0.batch = "old" }
            #expect(try f.store.jobs.batch(named: "old")?.jobs == 1)
        }
    }

    @Test func pagesAreGivenBack() async throws {
        try await withStore(durability: .normal) { f in
            _ = try await f.store.jobs.enqueue((0..<2_000).map { .asking(String(repeating: "\($0) ", count: 400)) })
            for job in try await f.claim(2_000) { _ = try await f.complete(job) }
            let full = try f.store.maintenance.statistics()
            f.clock.wall += Self.hour
            var keeping = policy
            keeping.shrinks = false
            #expect(try await f.store.maintenance.prune(keeping).bytesFreed == 0)
            let loose = try f.store.maintenance.statistics()
            #expect(loose.freeBytes > full.databaseBytes / 2 && loose.databaseBytes == full.databaseBytes)
            try f.raw().run("PRAGMA wal_checkpoint(PASSIVE)")
            let before = try f.fileLength()
            let report = try await f.store.maintenance.prune(policy)
            let after = try f.store.maintenance.statistics()
            #expect(after.freeBytes == 0)
            #expect(try f.fileLength() == after.databaseBytes, "the file is cut at once, not by some later checkpoint")
            #expect(try report.bytesFreed == before - f.fileLength() && report.bytesFreed > full.databaseBytes / 2)
            #expect(try await f.store.maintenance.shrink() == 0)
        }
    }

    @Test func prunesBesideLiveWork() async throws {
        try await withStore(durability: .normal) { f in
            try await end(f, 200)
            f.clock.wall += 5 * Self.hour
            async let pruned = f.store.maintenance.prune(policy)
            for index in 0..<100 {
                try await f.add(.asking("live \(index)"))
                _ = try await f.complete(f.one())
            }
            #expect(try await pruned.jobs == 600)
            #expect(try f.store.maintenance.statistics().count(.completed) == 100)
        }
    }
}
