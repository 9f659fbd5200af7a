import AgentQueueModel
import Testing

@testable import AgentQueueStore

@Suite struct IngestTests {
    private let digest = [UInt8](repeating: 7, count: 32)

    private func linesDone(_ f: Fixture) throws -> Int { try f.store.jobs.ingestCheckpoint(named: "n")?.linesDone ?? 0 }

    @Test func marksMoveForwardWithTheirJobs() async throws {
        try await withStore { f in
            #expect(try linesDone(f) == 0)
            for end in [100, 150, 151] {
                let done = try linesDone(f)
                let jobs = (done..<end).map { NewJob.asking("\($0)") }
                #expect(
                    try await f.store.jobs.enqueue(jobs, ingest: IngestCheckpoint(name: "n", digest: digest, linesDone: end)).count == end
                        - done
                )
                #expect(try linesDone(f) == end)
            }
            #expect(try f.raw().rows("SELECT lines_done, jobs FROM ingests") == [["151", "151"]])
        }
    }

    @Test func aMarkThatDoesNotMoveForwardRefusesItsJobs() async throws {
        try await withStore { f in
            func add(_ lines: Int, _ digest: [UInt8]) async throws {
                _ = try await f.store.jobs.enqueue([.asking("x")], ingest: IngestCheckpoint(name: "n", digest: digest, linesDone: lines))
            }
            try await add(10, digest)
            // Another process took in the same slice, a later one, or another input.
            #expect(await storeError { try await add(10, digest) }?.kind == .conflict)
            #expect(await storeError { try await add(5, digest) }?.kind == .conflict)
            let other = [UInt8](repeating: 8, count: 32)
            #expect(await storeError { try await add(20, other) }?.kind == .conflict)
            #expect(try f.count(of: "jobs") == 1)
            try await add(11, digest)
            #expect(try linesDone(f) == 11)
        }
    }

    /// An input that has grown has another digest. Its checkpoint continues that of the beginning, and of no other input.
    @Test func aGrownInputContinuesItsCheckpoint() async throws {
        try await withStore { f in
            func add(_ lines: Int, _ digest: UInt8, size: Int64, continues: UInt8?) async throws {
                let mark = IngestCheckpoint(
                    name: "n", digest: [UInt8](repeating: digest, count: 32), linesDone: lines, size: size,
                    continues: continues.map { [UInt8](repeating: $0, count: 32) })
                _ = try await f.store.jobs.enqueue([.asking("x")], ingest: mark)
            }
            try await add(10, 1, size: 100, continues: nil)
            try await add(20, 2, size: 200, continues: 1)
            try await add(21, 2, size: 200, continues: 1)
            #expect(try f.store.jobs.ingestCheckpoint(named: "n")?.size == 200)
            #expect(await storeError { try await add(30, 3, size: 300, continues: 1) }?.kind == .conflict)
            #expect(await storeError { try await add(30, 1, size: 100, continues: nil) }?.kind == .conflict)
            #expect(try linesDone(f) == 21)
        }
    }

    /// A slice that cannot be added leaves the mark where it was.
    @Test func aSliceThatFailsLeavesItsMark() async throws {
        try await withStore { f in
            let error = await storeError {
                _ = try await f.store.jobs.enqueue(
                    [.asking("x"), .with(.asking("y")) { $0.after = [99] }],
                    ingest: IngestCheckpoint(name: "n", digest: digest, linesDone: 2))
            }
            #expect(error?.kind == .conflict)
            #expect(try linesDone(f) == 0)
            let jobs = try f.count(of: "jobs")
            #expect(jobs == 0)
        }
    }

    @Test func twoTakersOfOneInputAddEachLineOnce() async throws {
        try await withStore(durability: .normal) { f in
            let other = try f.another()
            defer { other.close() }
            let digest = digest
            try await withThrowingTaskGroup(of: Void.self) { group in
                for store in [f.store, other] {
                    group.addTask {
                        while case let done = try store.jobs.ingestCheckpoint(named: "n")?.linesDone ?? 0, done < 200 {
                            let jobs = (done..<done + 10).map { NewJob.asking("line \($0)") }
                            do {
                                _ = try await store.jobs.enqueue(
                                    jobs, ingest: IngestCheckpoint(name: "n", digest: digest, linesDone: done + 10))
                            } catch let error as StoreError where error.kind == .conflict {}
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try f.count(of: "jobs") == 200)
            #expect(try f.raw().int("SELECT count(DISTINCT digest) FROM jobs") == 200)
        }
    }

    @Test func marksAreForgottenAfterAMonth() async throws {
        try await withStore { f in
            _ = try await f.store.jobs.enqueue([], ingest: IngestCheckpoint(name: "n", digest: digest, linesDone: 3))
            let policy = PrunePolicy(completed: 0, cancelled: 0, discarded: 0)
            f.clock.wall += 30 * 86_400_000
            _ = try await f.store.maintenance.prune(policy)
            #expect(try linesDone(f) == 3)
            f.clock.wall += 1
            _ = try await f.store.maintenance.prune(policy)
            #expect(try linesDone(f) == 0)
        }
    }
}
