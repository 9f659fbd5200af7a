import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

@testable import AgentQueueStore

/// The lock file is deleted under live workers, as "a stale lock".
@Suite struct LockFileTests {
    @Test func aFileThatIsInPlaceIsKept() async throws {
        try await withStore { f in
            #expect(try f.store.locks.reattach() == false)
            #expect(f.store.locks.life(of: f.worker) == .running)
            let dead = try f.deadWorker()
            #expect(f.store.locks.life(of: dead) == .ended)
        }
    }

    /// The other process's byte is in the deleted file, and free in the new one.
    @Test func aWorkerThatHasNotLockedItsByteAnewIsNotTakenForDead() async throws {
        try await withStore { f in
            let other = try f.deadWorker()
            let process = try await LockHolder(path: f.lock, byte: other, exclusive: true)
            let job = try await f.running(lease: 60_000, worker: other)
            #expect(unlink(f.lock) == 0)
            #expect(try f.store.locks.reattach())
            #expect(f.store.locks.life(of: other) == .uncertain)
            #expect(try await f.store.maintenance.rescue() == 0)
            // Nor after a worker has registered in the new file.
            let next = try await f.store.claims.registerWorker().id
            #expect(f.store.locks.life(of: other) == .uncertain)
            #expect(try await f.store.maintenance.rescue() == 0)
            // What registers from then on is known by its byte.
            let dead = try f.deadWorker()
            #expect(dead > next && f.store.locks.life(of: dead) == .ended)
            // Its lease decides, and later its registration goes.
            f.clock.advance(60_001)
            #expect(try await f.store.maintenance.rescue() == 1)
            #expect(try f.state(job.id) == .available)
            #expect(try await f.store.maintenance.rescue() == 0)
            #expect(try f.store.maintenance.workers().map(\.id) == [f.worker, other, next])
            f.clock.advance(60_000)
            _ = try await f.store.maintenance.rescue()
            #expect(try f.store.maintenance.workers().map(\.id) == [f.worker, next])
            try await process.kill()
        }
    }

    /// This process still has the deleted file, and the other locked its byte in the new one.
    @Test func aRescuerWithTheOldFileRescuesNobody() async throws {
        try await withStore { f in
            let other = try f.deadWorker()
            #expect(unlink(f.lock) == 0)
            #expect(f.store.locks.life(of: other) == .uncertain)
            #expect(FileManager.default.createFile(atPath: f.lock, contents: nil))
            let process = try await LockHolder(path: f.lock, byte: other, exclusive: true)
            let job = try await f.running(lease: 3_600_000, worker: other)
            #expect(f.store.locks.life(of: other) == .uncertain)
            #expect(try await f.store.maintenance.rescue() == 0)
            #expect(try f.store.locks.reattach())
            #expect(f.store.locks.life(of: other) == .running)
            #expect(try f.state(job.id) == .running)
            try await process.kill()
        }
    }

    /// Calls noted before and after are found in the new file, and its holder is seen from another process.
    @Test func aWorkerTakesItsByteAndItsCallsAlong() async throws {
        try await withStore { f in
            let calls = try #require(f.registration.calls)
            let first = calls.begin(job: 7)
            #expect(unlink(f.lock) == 0)
            #expect(f.store.locks.begunCalls(of: f.worker) == [7])
            #expect(try f.store.locks.reattach())
            #expect(f.store.locks.begunCalls(of: f.worker) == [7])
            _ = calls.begin(job: 8)
            calls.end(first)
            #expect(f.store.locks.begunCalls(of: f.worker) == [8])
            // Another process cannot lock the byte, for it is held.
            await #expect(throws: (any Error).self) { _ = try await LockHolder(path: f.lock, byte: f.worker, exclusive: true) }
            // It is known to be dead at once, although it registered in another file.
            f.store.locks.unlock(worker: f.worker)
            #expect(f.store.locks.life(of: f.worker) == .ended)
        }
    }

    /// A process has one record of its locks, also when it opens the database again after the file was deleted.
    @Test func anotherStoreOfTheProcessSharesTheNewFile() async throws {
        try await withStore { f in
            let job = try await f.running(lease: 3_600_000)
            #expect(unlink(f.lock) == 0)
            let other = try f.another()
            defer { other.close() }
            #expect(other.locks === f.store.locks)
            let theirs = try await other.claims.registerWorker()
            #expect(f.store.locks.life(of: theirs.id) == .running && other.locks.life(of: f.worker) == .running)
            #expect(try await other.maintenance.rescue() == 0)
            #expect(try await f.complete(job) == .settled(.completed))
            try await other.claims.unregisterWorker(theirs.id)
        }
    }
}

extension Fixture {
    fileprivate var lock: String { path + "-lock" }
}
