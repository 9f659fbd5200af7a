import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// Leaders and followers that are cancelled or expire.
@Suite struct FollowerChangeTests {
    @Test func theCallOfACancelledLeaderGoesOn() async throws {
        try await withStore { f in
            let ids = try await f.twins(in: ["a", "b", "a"])
            let leader = try await f.one()
            #expect(try await f.claim().isEmpty)
            _ = try await f.store.jobs.cancel(ids: [leader.id])
            #expect(try await f.cancellations().isEmpty)
            #expect(try await f.complete(leader) == .settled(.cancelled))
            #expect(try f.states(ids) == [.cancelled, .completed, .completed])
            #expect(try f.job(ids[0]).result == nil)
            // What was paid for is on record.
            #expect(try f.raw().rows("SELECT sum(calls), sum(cost_usd), sum(cache_answers) FROM lanes") == [["1", "0.25", "2"]])
            #expect(try await f.claim().isEmpty)
        }
    }

    @Test func aCancelledLeaderThatTheCacheAnswers() async throws {
        try await withStore { f in
            let leader = try await f.one(in: f.twins(in: ["default"]))
            let follower = try await f.twins(in: ["default"])
            #expect(try await f.claim().isEmpty)
            let optedOut = try await f.twins(in: ["default"]) { $0.useCache = false }
            _ = try await f.complete(f.one(in: optedOut), cacheFor: 60_000)
            _ = try await f.store.jobs.cancel(ids: [leader.id])
            #expect(try await f.store.claims.settleFromCache(leader) == .settled(.cancelled))
            #expect(try f.states([leader.id] + follower) == [.cancelled, .completed])
        }
    }

    @Test func theLastFollowersEndLetsTheCallBeStopped() async throws {
        try await withStore { f in
            let ids = try await f.twins(in: ["a", "a", "b"])
            let leader = try await f.one()
            #expect(try await f.claim().isEmpty)
            _ = try await f.store.jobs.cancel(ids: [leader.id, ids[1]])
            #expect(try await f.cancellations().isEmpty)
            #expect(try await f.rings { _ = try await f.store.jobs.cancel(ids: [ids[2]]) })
            #expect(try await f.cancellations() == [leader.lease])
            // The answer came first.
            #expect(try await f.complete(leader) == .settled(.completed))
            #expect(try f.states(ids) == [.completed, .cancelled, .cancelled])
        }
    }

    @Test func aCancelledLeaderThatFailsIsSucceeded() async throws {
        try await withStore { f in
            let ids = try await f.twins(in: ["a", "a"])
            let leader = try await f.one()
            #expect(try await f.claim().isEmpty)
            _ = try await f.store.jobs.cancel(ids: [leader.id])
            #expect(try await f.fail(leader) == .settled(.cancelled))
            #expect(try f.states(ids) == [.cancelled, .available])
        }
    }

    /// A leader that was made ready again, and is then cancelled or expires, leaves a successor.
    @Test(arguments: ["cancelled", "expired"])
    func aSuccessorThatNeverRuns(_ end: String) async throws {
        try await withStore { f in
            let leader = try await f.one(in: f.twins(in: ["default"]))
            let ids =
                try await f.twins(in: ["default"]) { if end == "expired" { $0.expiresAt = f.clock.wall + 5 } }
                + f.twins(in: ["default", "default"])
            #expect(try await f.claim().isEmpty)
            try await f.fail(leader, .permanent)
            #expect(try f.states(ids) == [.available, .pending, .pending])
            f.clock.advance(5)
            if end == "expired" {
                #expect(try await f.store.maintenance.expire() == 1)
            } else {
                _ = try await f.store.jobs.cancel(ids: [ids[0]])
            }
            #expect(try f.states(ids) == [end == "expired" ? .discarded : .cancelled, .available, .pending])
            // A retry of it waits for the one that asks now.
            _ = try await f.claim()
            _ = try await f.store.jobs.retry(ids: [ids[0]])
            #expect(try await f.claim().isEmpty)
            #expect(try f.states(ids) == [.pending, .running, .pending])
        }
    }

    @Test func followersAreCancelledAndExpire() async throws {
        try await withStore { f in
            let leader = try await f.one(in: f.twins(in: ["default"]))
            let ids = try await f.twins(in: ["default", "default", "default"]) { $0.expiresAt = f.clock.wall + 5 }
            #expect(try await f.claim().isEmpty)
            _ = try await f.store.jobs.cancel(ids: [ids[0]])
            #expect(try await f.store.jobs.retry(ids: [ids[1]]).map(\.result) == [.unchanged(.pending)])
            #expect(try await f.store.jobs.delete(ids: [ids[1]]).map(\.result) == [.refused("it is pending; cancel it first")])
            f.clock.advance(5)
            #expect(try await f.store.maintenance.expire() == 2)
            #expect(try f.states(ids) == [.cancelled, .discarded, .discarded])
            #expect(try f.count(of: "followers") == 0)
            #expect(try await f.complete(leader) == .settled(.completed))
            #expect(try f.states(ids) == [.cancelled, .discarded, .discarded])
            #expect(try await f.store.jobs.delete(ids: ids).count == 3)
        }
    }
}
