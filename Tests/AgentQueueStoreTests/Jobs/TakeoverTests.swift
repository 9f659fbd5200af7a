import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueStore

/// What an expired lease proves when nobody could renew it.
@Suite struct TakeoverTests {
    private static let heartbeat: Int64 = 1_000

    /// The rescuer's own writes fail, as on a full disk, until after the leases have ended.
    @Test func ownersGetAHeartbeatsTimeAfterWritesFailed() async throws {
        try await withStore { f in
            let rescuer = try f.another()
            defer { rescuer.close() }
            let (renewed, silent) = (try await f.running(lease: 1_000), try await f.running(lease: 1_000))
            try await rescuer.write { try $0.statement(building: "PRAGMA max_page_count = 1").eachRow { _ in } }
            let long = NewJob.asking(String(repeating: "long ", count: 20_000))
            await #expect(throws: StoreError.self) { _ = try await rescuer.jobs.enqueue(long) }
            f.clock.advance(1_001)
            #expect(try rescuer.maintenance.pending(heartbeat: Self.heartbeat).mayRescue, "it must find out whether it can write again")
            #expect(try await rescuer.maintenance.rescue(heartbeat: Self.heartbeat) == 0)
            // It has written now.
            #expect(!rescuer.health.isFailing)
            #expect(try rescuer.maintenance.pending(heartbeat: Self.heartbeat).mayRescue == false)
            let heartbeat = try Heartbeat(f.store)
            defer { heartbeat.close() }
            #expect(try heartbeat.renew([renewed.lease], for: 5_000) == [])
            f.clock.advance(999)
            #expect(try await rescuer.maintenance.rescue(heartbeat: Self.heartbeat) == 0)
            f.clock.advance(1)
            #expect(try rescuer.maintenance.pending(heartbeat: Self.heartbeat).mayRescue)
            #expect(try await rescuer.maintenance.rescue(heartbeat: Self.heartbeat) == 1)
            #expect(try f.states([renewed.id, silent.id]) == [.running, .available])
        }
    }

    /// Another process holds the write lock for longer than a lease, as one does that is stopped in a transaction.
    @Test func ownersGetAHeartbeatsTimeAfterALongWait() async throws {
        try await withStore { f in
            let job = try await f.running(lease: 1_000)
            let raw = try f.raw()
            try raw.run("BEGIN IMMEDIATE")
            let looks = f.clock.bootReads
            let rescue = Task { try await f.store.maintenance.rescue(heartbeat: Self.heartbeat) }
            let write = Task { try await f.store.jobs.enqueue(.asking("waits")) }
            try await until("the writer waits") { f.clock.bootReads >= looks + 2 }
            f.clock.advance(5_000)
            try raw.run("COMMIT")
            _ = try await (rescue.value, write.value)
            #expect(try f.state(job.id) == .running)
            #expect(try await f.store.maintenance.rescue(heartbeat: Self.heartbeat) == 0)
            f.clock.advance(1_000)
            #expect(try await f.store.maintenance.rescue(heartbeat: Self.heartbeat) == 1)
        }
    }

    /// The rescuer was stopped itself: with the machine, or with the other workers by the terminal.
    @Test func ownersGetAHeartbeatsTimeAfterTheRescuerWasStopped() async throws {
        try await withStore { f in
            _ = try await f.running(lease: 1_000)
            #expect(try f.store.maintenance.pending(heartbeat: Self.heartbeat).mayRescue == false)
            f.clock.advance(3_600_000)
            #expect(try await f.store.maintenance.rescue(heartbeat: Self.heartbeat) == 0)
            f.clock.advance(1_000)
            #expect(try await f.store.maintenance.rescue(heartbeat: Self.heartbeat) == 1)
        }
    }

    /// A worker that is paused while all others can write loses its jobs when the lease ends.
    @Test func otherwiseTheLeaseDecides() async throws {
        try await withStore { f in
            _ = try await f.running(lease: 1_000)
            for _ in 0..<2 {
                #expect(try f.store.maintenance.pending(heartbeat: Self.heartbeat).mayRescue == false)
                f.clock.advance(500)
            }
            f.clock.advance(1)
            #expect(try await f.store.maintenance.rescue(heartbeat: Self.heartbeat) == 1)
        }
    }

    /// A dead worker's jobs need no such time.
    @Test func theDeadAreRescuedAtOnce() async throws {
        try await withStore { f in
            _ = try await f.running(lease: 1_000, worker: f.deadWorker())
            _ = try f.store.maintenance.pending(heartbeat: Self.heartbeat)
            f.clock.advance(3_600_000)
            f.store.health.noteFailure()
            #expect(try await f.store.maintenance.rescue(heartbeat: Self.heartbeat) == 1)
        }
    }
}
