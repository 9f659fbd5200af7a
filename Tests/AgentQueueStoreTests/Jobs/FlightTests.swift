import AgentQueueModel
import GRDBSQLite
import Testing

@testable import AgentQueueStore

/// Identical requests share one answer.
@Suite struct FlightTests {
    /// Adds jobs that ask the same, one for each queue that is named.
    private func twins(_ f: Fixture, in queues: [String], _ configure: (inout NewJob) -> Void = { _ in }) async throws -> [Int64] {
        var ids: [Int64] = []
        for queue in queues {
            let id = try await f.add("the same") {
                $0.queue = queue
                configure(&$0)
            }
            ids.append(id)
        }
        return ids
    }

    // MARK: Following

    @Test func identicalJobsFollowTheFirst() async throws {
        try await withStore { f in
            let ids = try await twins(f, in: ["default", "default", "default"])
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
            let ids = try await twins(f, in: ["a", "b"])
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
            let next = try await twins(f, in: ["b"])
            #expect(try await f.claim().map(\.id) == next)
        }
    }

    @Test func aSlotIsForAJobThatIsCalledFor() async throws {
        try await withStore { f in
            let twins = try await twins(f, in: ["default", "default", "default"])
            let other = try await f.add()
            #expect(try await f.claim(2).map(\.id) == [twins[0], other])
            let crowd = try await self.twins(f, in: Array(repeating: "default", count: 450))
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
            let optedOut = try await twins(f, in: ["default", "default"]) { $0.useCache = false }
            #expect(try await f.claim().map(\.id) == optedOut)
            let first = try await twins(f, in: ["default"])
            // It follows none of them, and they answer no one but themselves.
            let leader = try await f.one()
            #expect(leader.id == first[0])
            let late = try await twins(f, in: ["default"]) { $0.useCache = false }
            #expect(try await f.claim().map(\.id) == late)
            let follower = try await twins(f, in: ["default"])
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
            let first = try await f.one(in: twins(f, in: ["default"]))
            let waiting = try await twins(f, in: ["default", "default"]) { $0.scheduledAt = f.clock.wall + 10 }
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
            let leader = try await f.one(in: twins(f, in: ["default"]))
            let follower = try await twins(f, in: ["default"])
            #expect(try await f.claim().isEmpty)
            let optedOut = try await twins(f, in: ["default"]) { $0.useCache = false }
            _ = try await f.complete(f.one(in: optedOut), cacheFor: 60_000)
            #expect(try f.states(follower) == [.pending])
            #expect(try await f.store.claims.settleFromCache(leader) == .settled(.completed))
            #expect(try f.states(follower) == [.completed])
            #expect(try f.job(follower[0]).result?.answeredBy == .coalesced)
        }
    }

    // MARK: No answer comes

    @Test(arguments: ["failed", "handed back", "discarded", "cancelled", "rescued", "rescued for the last time", "unbegun"])
    func anotherAsksInItsPlace(_ end: String) async throws {
        try await withStore { f in
            let isRescued = end.hasPrefix("rescued") || end == "unbegun"
            let worker = isRescued ? try f.deadWorker(bootID: end == "unbegun" ? nil : "an earlier boot") : f.worker
            let ids = try await twins(f, in: ["a", "a", "b", "a", "b"]) { if end == "rescued for the last time" { $0.maxAttempts = 1 } }
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
            let leader = try await f.one(in: twins(f, in: ["default"]))
            let follower = try await twins(f, in: ["default"])
            #expect(try await f.claim().isEmpty)
            // One that the cache answers flies beside it.
            let optedOut = try await twins(f, in: ["default"]) { $0.useCache = false }
            _ = try await f.complete(f.one(in: optedOut), cacheFor: 60_000)
            let late = try await twins(f, in: ["default"]) { $0.scheduledAt = f.clock.wall + 1 }
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
            let ids = try await twins(f, in: ["a", "a"])
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
            let ids = try await twins(f, in: ["a", "paused", "a"])
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
            let ids = try await twins(f, in: ["a", "b"])
            let leader = try await f.one()
            #expect(try await f.claim().isEmpty)
            try await f.store.jobs.pause(queue: "b")
            _ = try await f.complete(leader)
            #expect(try f.states(ids) == [.completed, .completed])
        }
    }

    @Test func theBestOfALaneAsksNext() async throws {
        try await withStore { f in
            let leader = try await f.one(in: twins(f, in: ["default"]) { $0.priority = 1 })
            var ids: [Int64] = []
            for priority in [7, 5, 9, 5] { ids += try await twins(f, in: ["default"]) { $0.priority = priority } }
            #expect(try await f.claim().isEmpty)
            try await f.fail(leader, .permanent)
            #expect(try f.states(ids) == [.pending, .available, .pending, .pending])
        }
    }

    /// Followers of a job that two workers died of are not suspects.
    @Test func aSuspectMayFollowAndLead() async throws {
        try await withStore { f in
            let ids = try await twins(f, in: ["default"]) { $0.maxAttempts = 9 }
            for _ in 0..<2 {
                #expect(try await f.claim(1, worker: f.deadWorker()).count == 1)
                #expect(try await f.store.maintenance.rescue() == 1)
            }
            let flying = try await twins(f, in: ["other"])
            let leader = try #require(try await f.claim(1, queues: ["other"]).first)
            #expect(leader.id == flying[0])
            let round = try await f.round(5)
            #expect(round.jobs.isEmpty && !round.runsAlone && !round.quarantinedWaits)
            #expect(try f.states(ids) == [.pending])
            try await f.fail(leader, .permanent)
            let alone = try await f.round(5)
            #expect(alone.jobs.map(\.id) == ids && alone.runsAlone && alone.quarantinedWaits)
            let late = try await twins(f, in: ["other"])
            #expect(try await f.claim().isEmpty)
            _ = try await f.complete(alone.jobs[0])
            #expect(try f.states(ids + late) == [.completed, .completed])
        }
    }

    // MARK: Wishes

    @Test func theCallOfACancelledLeaderGoesOn() async throws {
        try await withStore { f in
            let ids = try await twins(f, in: ["a", "b", "a"])
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
            let leader = try await f.one(in: twins(f, in: ["default"]))
            let follower = try await twins(f, in: ["default"])
            #expect(try await f.claim().isEmpty)
            let optedOut = try await twins(f, in: ["default"]) { $0.useCache = false }
            _ = try await f.complete(f.one(in: optedOut), cacheFor: 60_000)
            _ = try await f.store.jobs.cancel(ids: [leader.id])
            #expect(try await f.store.claims.settleFromCache(leader) == .settled(.cancelled))
            #expect(try f.states([leader.id] + follower) == [.cancelled, .completed])
        }
    }

    @Test func theLastFollowersEndLetsTheCallBeStopped() async throws {
        try await withStore { f in
            let ids = try await twins(f, in: ["a", "a", "b"])
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
            let ids = try await twins(f, in: ["a", "a"])
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
            let leader = try await f.one(in: twins(f, in: ["default"]))
            let ids =
                try await twins(f, in: ["default"]) { if end == "expired" { $0.expiresAt = f.clock.wall + 5 } }
                + twins(f, in: ["default", "default"])
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
            let leader = try await f.one(in: twins(f, in: ["default"]))
            let ids = try await twins(f, in: ["default", "default", "default"]) { $0.expiresAt = f.clock.wall + 5 }
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

    // MARK: What else a follower has

    @Test func batchesStreamsAndDependents() async throws {
        try await withStore { f in
            let ids = try await twins(f, in: ["default", "default"]) {
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
            let poor = try await twins(f, in: ["a"]) {
                $0.budget = 1
                $0.priority = 1
            }
            let others = try await twins(f, in: ["b", "a"]) { $0.priority = 2 }
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
            let tight = try await twins(f, in: ["a", "a"]) {
                $0.batch = "b"
                $0.priority = 1
            }
            #expect(try await f.claim(policies).isEmpty)
            #expect(try f.states(tight) == [.available, .available])
            // Nobody rings for nothing: the next look would find it as tight.
            var again: [ClaimedJob] = []
            let rings = try await f.rings { again = try await f.claim(policies) }
            #expect(!rings && again.isEmpty)
            let free = try await twins(f, in: ["b"]) { $0.priority = 2 }
            let leader = try await f.claim(policies)
            #expect(leader.map(\.id) == free)
            #expect(try await f.claim(policies).isEmpty)
            #expect(try f.states(tight) == [.pending, .pending])
            _ = try await f.complete(leader[0])
            #expect(try f.states(tight) == [.completed, .completed])
            _ = try await f.complete(call)
        }
    }

    // MARK: Crowds

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

extension Fixture {
    /// Claims one job, which must be the one that was just added.
    fileprivate func one(in ids: [Int64]) async throws -> ClaimedJob {
        let job = try await one()
        #expect([job.id] == ids)
        return job
    }
}
