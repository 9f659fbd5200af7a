import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// Identical requests share one answer.
@Suite struct FollowerTests {
    @Test func identicalJobsFollowTheFirst() async throws {
        try await withStore { f in
            let ids = try await f.twins(in: ["default", "default", "default"])
            let jobs = try await f.claim()
            #expect(jobs.map(\.id) == [ids[0]])
            #expect(try f.states(ids) == [.running, .pending, .pending])
            #expect(try f.raw().rows("SELECT attempt FROM jobs ORDER BY id") == [["1"], ["0"], ["0"]])
            #expect(try await f.complete(jobs[0], "once") == .settled(.completed))
            #expect(try f.states(ids) == [.completed, .completed, .completed])
            for id in ids[1...] {
                let result = try #require(try f.job(id).result)
                #expect(result.answeredBy == .coalesced && result.reply["text"]?.string == "once" && result.cost == 0)
                #expect(result.usage.outputTokens == 3 && result.latency == 120 && result.target == "local/m")
                #expect(try f.job(id).attempt == 0)
            }
            let raw = try f.raw()
            #expect(try raw.value("SELECT value FROM counters WHERE name = 'coalesced'") == "2")
            #expect(try raw.rows("SELECT calls, cost_usd, cache_answers, saved_usd FROM lanes") == [["1", "0.25", "2", "0.5"]])
            #expect(try raw.int("SELECT count(*) FROM followers") == 0)
        }
    }

    @Test func aLaterOneFollowsWhatIsUnderWayAnywhere() async throws {
        try await withStore { f in
            let ids = try await f.twins(in: ["a", "b"])
            let other = try f.another()
            defer { other.close() }
            let colleague = try await other.claims.registerWorker().id
            let leader = try #require(try await f.claim(1, queues: ["a"]).first)
            let request = ClaimRequest(worker: colleague, queues: ["b"], providers: ["local"], slots: 5, lease: 60_000, isIdle: true)
            let round = try await other.claims.claim(request)
            #expect(round.jobs.isEmpty && !round.quarantinedWaits)
            #expect(try f.states(ids) == [.running, .pending])
            _ = try await f.complete(leader)
            #expect(try f.states(ids) == [.completed, .completed])
            // Now nothing flies, and nothing is cached.
            let next = try await f.twins(in: ["b"])
            #expect(try await f.claim().map(\.id) == next)
        }
    }

    @Test func aSlotIsForAJobThatIsCalledFor() async throws {
        try await withStore { f in
            let twins = try await f.twins(in: ["default", "default", "default"])
            let other = try await f.add()
            #expect(try await f.claim(2).map(\.id) == [twins[0], other])
            let crowd = try await f.twins(in: Array(repeating: "default", count: 450))
            let last = try await f.add()
            // They are looked through in sweeps, and the one behind them is found.
            #expect(try await f.claim(1).map(\.id) == [last])
            #expect(try f.states(crowd).allSatisfy { $0 == .pending })
        }
    }

    /// A round that has set aside many lets others have their turn, and rings for the next.
    @Test func aCrowdIsSetAsideInRounds() async throws {
        try await withStore { f in
            let leader = try await f.running { $0.digest = [UInt8](repeating: 1, count: 32) }
            let crowd = try await f.add(1_200) { $0.digest = leader.digest }
            let last = try await f.add()
            var rounds = 0
            while try f.state(last) == .available {
                var jobs: [ClaimedJob] = []
                let rings = try await f.rings { jobs = try await f.claim(1) }
                #expect(rings || jobs.map(\.id) == [last])
                rounds += 1
                try #require(rounds < 9)
            }
            #expect(rounds == 2 || rounds == 3)
            #expect(try f.states(crowd).allSatisfy { $0 == .pending })
        }
    }

    @Test func aJobThatOptsOutJoinsNothing() async throws {
        try await withStore { f in
            let optedOut = try await f.twins(in: ["default", "default"]) { $0.useCache = false }
            #expect(try await f.claim().map(\.id) == optedOut)
            let first = try await f.twins(in: ["default"])
            // It follows none of them, and they answer no one but themselves.
            let leader = try await f.one()
            #expect(leader.id == first[0])
            let late = try await f.twins(in: ["default"]) { $0.useCache = false }
            #expect(try await f.claim().map(\.id) == late)
            let follower = try await f.twins(in: ["default"])
            #expect(try await f.claim().isEmpty)
            for id in optedOut { #expect(try f.state(id) == .running) }
            _ = try await f.complete(leader)
            #expect(try f.states(optedOut + follower) == [.running, .running, .completed])
        }
    }

    /// The answer to another request is another's, whatever the digests have in common.
    @Test func theDigestDecides() async throws {
        try await withStore { f in
            try await f.add("one")
            try await f.add("two")
            try await f.add(.asking("one", of: "other/m"))
            #expect(try await f.claim().count == 3)
        }
    }

    @Test func aCachedAnswerIsNotWaitedFor() async throws {
        try await withStore { f in
            let first = try await f.one(in: f.twins(in: ["default"]))
            let waiting = try await f.twins(in: ["default", "default"]) { $0.scheduledAt = f.clock.wall + 10 }
            _ = try await f.complete(first, cacheFor: 60_000)
            f.clock.advance(10)
            _ = try await f.store.maintenance.promote()
            let jobs = try await f.claim()
            #expect(jobs.map(\.id) == waiting && jobs.allSatisfy(\.isCached))
            for job in jobs { #expect(try await f.store.claims.settleFromCache(job) == .settled(.completed)) }
        }
    }

    /// What the cache answers is no call, yet it answers those who follow it.
    @Test func anAnswerFromTheCacheLandsToo() async throws {
        try await withStore { f in
            let leader = try await f.one(in: f.twins(in: ["default"]))
            let follower = try await f.twins(in: ["default"])
            #expect(try await f.claim().isEmpty)
            let optedOut = try await f.twins(in: ["default"]) { $0.useCache = false }
            _ = try await f.complete(f.one(in: optedOut), cacheFor: 60_000)
            #expect(try f.states(follower) == [.pending])
            #expect(try await f.store.claims.settleFromCache(leader) == .settled(.completed))
            #expect(try f.states(follower) == [.completed])
            #expect(try f.job(follower[0]).result?.answeredBy == .coalesced)
        }
    }

    @Test func batchesStreamsAndDependents() async throws {
        try await withStore { f in
            let ids = try await f.twins(in: ["default", "default"]) {
                $0.batch = "b"
                $0.isStreamed = true
            }
            let dependent = try await f.add { $0.after = [ids[1]] }
            let leader = try await f.one()
            #expect(try await f.claim().isEmpty)
            #expect(try f.store.jobs.batch(named: "b")?.completed == 0)
            #expect(try await f.rings(.done) { _ = try await f.complete(leader) })
            let batch = try #require(try f.store.jobs.batch(named: "b"))
            #expect(batch.jobs == 2 && batch.completed == 2)
            #expect(try f.count(of: "streams") == 0)
            #expect(try f.state(dependent) == .pending)
            try await f.cascade()
            #expect(try f.state(dependent) == .available)
        }
    }

    /// A job whose budget forbids its call leads no one.
    @Test func whatMayNotBeCalledForIsNotFollowed() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting([:], worst: 2)
            let poor = try await f.twins(in: ["a"]) {
                $0.budget = 1
                $0.priority = 1
            }
            let others = try await f.twins(in: ["b", "a"]) { $0.priority = 2 }
            let jobs = try await f.claim(policies)
            #expect(try f.states(poor) == [.discarded])
            #expect(jobs.count == 1)
            _ = try await f.complete(jobs[0])
            #expect(try f.states(others) == [.completed, .completed])
        }
    }

    /// One whose batch has its money set aside for calls under way is asked for by another, where that one may.
    @Test func whatMustWaitForMoneyIsNotFollowed() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting([:], worst: 2)
            let paid = try await f.add {
                $0.batch = "b"
                $0.budget = 3
            }
            let call = try #require(try await f.claim(policies).first)
            #expect(call.id == paid)
            let tight = try await f.twins(in: ["a", "a"]) {
                $0.batch = "b"
                $0.priority = 1
            }
            #expect(try await f.claim(policies).isEmpty)
            #expect(try f.states(tight) == [.available, .available])
            // Nobody rings for nothing: the next look would find it as tight.
            var again: [ClaimedJob] = []
            let rings = try await f.rings { again = try await f.claim(policies) }
            #expect(!rings && again.isEmpty)
            let free = try await f.twins(in: ["b"]) { $0.priority = 2 }
            let leader = try await f.claim(policies)
            #expect(leader.map(\.id) == free)
            #expect(try await f.claim(policies).isEmpty)
            #expect(try f.states(tight) == [.pending, .pending])
            _ = try await f.complete(leader[0])
            #expect(try f.states(tight) == [.completed, .completed])
            _ = try await f.complete(call)
        }
    }
}
