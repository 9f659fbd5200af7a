import JobModel
import Testing

@testable import QueueStore

@Suite struct HeartbeatTests {
    @Test func renewsUnderTheTokenAlone() async throws {
        try await withStore { f in
            let heartbeat = try Heartbeat(f.store)
            defer { heartbeat.close() }
            let one = try await f.running(lease: 1_000)
            let two = try await f.running(lease: 1_000)
            let stale = Lease(jobID: one.id, token: one.lease.token - 1)
            let foreign = Lease(jobID: 999, token: 1)
            f.clock.advance(500)
            #expect(try heartbeat.renew([], for: 1_000) == [])
            #expect(try heartbeat.renew([one.lease, stale, foreign, two.lease], for: 2_000) == [stale, foreign])
            #expect(try f.raw().rows("SELECT lease_expires_at FROM jobs") == [["\(f.clock.boot + 2_000)"], ["\(f.clock.boot + 2_000)"]])
            _ = try await f.complete(one)
            #expect(try heartbeat.renew([one.lease, two.lease], for: 2_000) == [one.lease])
        }
    }

    @Test func keepsAJobFromBeingRescued() async throws {
        try await withStore { f in
            let heartbeat = try Heartbeat(f.store)
            defer { heartbeat.close() }
            let job = try await f.running(lease: 900)
            for _ in 0..<10 {
                f.clock.advance(300)
                #expect(try heartbeat.renew([job.lease], for: 900) == [])
                #expect(try await f.store.rescue() == 0)
            }
            f.clock.advance(901)
            #expect(try await f.store.rescue() == 1)
            #expect(try heartbeat.renew([job.lease], for: 900) == [job.lease])
            // It is not given back by being asked for.
            #expect(try f.state(job.id) == .available)
        }
    }

    /// It has a connection of its own: another's short transaction delays it, and no more.
    @Test func anotherWritersLockIsWaitedFor() async throws {
        try await withStore { f in
            let job = try await f.running()
            let raw = try f.raw()
            try raw.run("BEGIN IMMEDIATE")
            let renewal = Task.detached {
                let heartbeat = try Heartbeat(f.store)
                defer { heartbeat.close() }
                return try heartbeat.renew([job.lease], for: 5_000)
            }
            try raw.run("INSERT INTO queues (name) VALUES ('theirs'); COMMIT")
            #expect(try await renewal.value == [])
        }
    }
}
