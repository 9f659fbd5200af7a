import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// What becomes of followers when their leader ends without an answer.
@Suite struct LeaderEndTests {
    @Test(arguments: ["failed", "handed back", "discarded", "cancelled", "rescued", "rescued for the last time", "unbegun"])
    func anotherAsksInItsPlace(_ end: String) async throws {
        try await withStore { f in
            let isRescued = end.hasPrefix("rescued") || end == "unbegun"
            let worker = isRescued ? try f.deadWorker(bootID: end == "unbegun" ? nil : "an earlier boot") : f.worker
            let ids = try await f.twins(in: ["a", "a", "b", "a", "b"]) { if end == "rescued for the last time" { $0.maxAttempts = 1 } }
            let leader = try await f.one(worker: worker)
            #expect(try await f.claim().isEmpty)
            #expect(try f.states(Array(ids[1...])) == [.pending, .pending, .pending, .pending])
            switch end {
            case "failed": try await f.fail(leader)
            case "handed back": _ = try await f.store.claims.settle(.handBack(leader, now: f.clock.wall))
            case "discarded": try await f.fail(leader, .permanent)
            case "cancelled": try await f.fail(leader, .cancelled)
            default: #expect(try await f.store.maintenance.rescue() == 1)
            }
            // One in each lane: the first.
            #expect(try f.states(Array(ids[1...])) == [.available, .available, .pending, .pending])
            let expected: [String: JobState] = [
                "failed": .retryable, "discarded": .discarded, "cancelled": .cancelled, "rescued for the last time": .discarded,
            ]
            #expect(try f.state(ids[0]) == expected[end] ?? .available)
            let second = try await f.claim()
            #expect(second.count == 1)
            #expect(try f.states(ids).count { $0 == .running } == 1)
            _ = try await f.complete(second[0])
            #expect(try f.states(Array(ids[1...])).allSatisfy { $0 == .completed })
        }
    }

    @Test func noOneAsksWhileAnotherStillDoes() async throws {
        try await withStore { f in
            let leader = try await f.one(in: f.twins(in: ["default"]))
            let follower = try await f.twins(in: ["default"])
            #expect(try await f.claim().isEmpty)
            // One that the cache answers flies beside it.
            let optedOut = try await f.twins(in: ["default"]) { $0.useCache = false }
            _ = try await f.complete(f.one(in: optedOut), cacheFor: 60_000)
            let late = try await f.twins(in: ["default"]) { $0.scheduledAt = f.clock.wall + 1 }
            f.clock.advance(1)
            _ = try await f.store.maintenance.promote()
            let cached = try await f.one(in: late)
            try await f.fail(leader)
            #expect(try f.states(follower) == [.pending])
            #expect(try await f.store.claims.settleFromCache(cached) == .settled(.completed))
            #expect(try f.states(follower) == [.completed])
        }
    }

    @Test func aFencedAnswerCompletesNobody() async throws {
        try await withStore { f in
            let ids = try await f.twins(in: ["a", "a"])
            let lost = try await f.one(worker: f.deadWorker())
            #expect(try await f.claim().isEmpty)
            #expect(try await f.store.maintenance.rescue() == 1)
            #expect(try f.states(ids) == [.available, .available])
            let leader = try await f.one()
            #expect(try await f.claim().isEmpty)
            #expect(try await f.complete(lost) == .fenced)
            #expect(try f.states(ids).sorted { "\($0!)" < "\($1!)" } == [.pending, .running])
            _ = try await f.complete(leader)
            #expect(try f.states(ids) == [.completed, .completed])
        }
    }

    @Test func thePausedQueuesJobHoldsNoOneUp() async throws {
        try await withStore { f in
            let ids = try await f.twins(in: ["a", "paused", "a"])
            let leader = try await f.one()
            #expect(try await f.claim().isEmpty)
            try await f.store.jobs.pause(queue: "paused")
            try await f.fail(leader, .permanent)
            let next = try await f.claim()
            #expect(next.map(\.id) == [ids[2]])
            #expect(try f.states(ids) == [.discarded, .available, .running])
            _ = try await f.complete(next[0])
            // It has stood in its lane before the answer came, and asks once it may.
            #expect(try f.states(ids) == [.discarded, .available, .completed])
            try await f.store.jobs.resume(queue: "paused")
            #expect(try await f.claim().map(\.id) == [ids[1]])
        }
    }

    /// A follower's answer comes although its own queue is paused.
    @Test func anAnswerReachesAPausedQueue() async throws {
        try await withStore { f in
            let ids = try await f.twins(in: ["a", "b"])
            let leader = try await f.one()
            #expect(try await f.claim().isEmpty)
            try await f.store.jobs.pause(queue: "b")
            _ = try await f.complete(leader)
            #expect(try f.states(ids) == [.completed, .completed])
        }
    }

    @Test func theBestOfALaneAsksNext() async throws {
        try await withStore { f in
            let leader = try await f.one(in: f.twins(in: ["default"]) { $0.priority = 1 })
            var ids: [Int64] = []
            for priority in [7, 5, 9, 5] { ids += try await f.twins(in: ["default"]) { $0.priority = priority } }
            #expect(try await f.claim().isEmpty)
            try await f.fail(leader, .permanent)
            #expect(try f.states(ids) == [.pending, .available, .pending, .pending])
        }
    }

    /// Followers of a job that two workers died of are not suspects.
    @Test func aSuspectMayFollowAndLead() async throws {
        try await withStore { f in
            let ids = try await f.twins(in: ["default"]) { $0.maxAttempts = 9 }
            for _ in 0..<2 {
                #expect(try await f.claim(1, worker: f.deadWorker()).count == 1)
                #expect(try await f.store.maintenance.rescue() == 1)
            }
            let flying = try await f.twins(in: ["other"])
            let leader = try #require(try await f.claim(1, queues: ["other"]).first)
            #expect(leader.id == flying[0])
            let round = try await f.round(5)
            #expect(round.jobs.isEmpty && !round.runsAlone && !round.quarantinedWaits)
            #expect(try f.states(ids) == [.pending])
            try await f.fail(leader, .permanent)
            let alone = try await f.round(5)
            #expect(alone.jobs.map(\.id) == ids && alone.runsAlone && alone.quarantinedWaits)
            let late = try await f.twins(in: ["other"])
            #expect(try await f.claim().isEmpty)
            _ = try await f.complete(alone.jobs[0])
            #expect(try f.states(ids + late) == [.completed, .completed])
        }
    }
}
