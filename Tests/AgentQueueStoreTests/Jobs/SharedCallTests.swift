import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// Jobs that can share a provider's call are claimed for one, and what is set aside is the call's.
@Suite struct SharedCallTests {
    // MARK: Packing

    @Test func asManyAsACallMayHold() async throws {
        try await withStore { f in
            let ids = try await f.addEmbeds(25)
            let round = try await f.sharing(2)
            #expect(round.calls == [Array(ids[..<10]), Array(ids[10..<20])])
            #expect(round.jobs.allSatisfy { $0.attempt == 1 && $0.inputs == 1 && $0.bytes == $0.body.utf8.count })
            #expect(round.lanesWithMore == [round.jobs[0].laneID])
            let rest = try await f.sharing(9)
            #expect(rest.calls == [Array(ids[20...])] && rest.lanesWithMore.isEmpty)
            #expect(rest.jobs[0].lease.token > round.jobs[19].lease.token)
            #expect(try f.count(of: "reservations") == 0)
        }
    }

    @Test func byInputsInTheirOrder() async throws {
        try await withStore { f in
            let ids = try await f.addEmbeds([4, 4, 4, 2, 25, 1])
            #expect(try await f.sharing(9).calls == [Array(ids[..<2]), Array(ids[2..<4]), [ids[4]], [ids[5]]])
        }
    }

    @Test func byBytes() async throws {
        try await withStore { f in
            let ids = try await f.addEmbeds(5)
            let size = Int(try #require(try f.raw().int("SELECT bytes FROM jobs LIMIT 1")))
            #expect(try await f.sharing(2, bytes: size * 2).calls == [Array(ids[..<2]), Array(ids[2..<4])])
            // A larger one has a call of its own.
            #expect(try await f.sharing(2, bytes: 1).calls == [[ids[4]]])
        }
    }

    @Test func whatWaitsForCompanyIsFilledWithoutASlot() async throws {
        try await withStore { f in
            let ids = try await f.addEmbeds(20)
            let lane = try #require(try f.raw().int("SELECT id FROM lanes"))
            #expect(try await f.sharing(0, open: [lane: OpenCall(inputs: 10, bytes: 0)]).jobs.isEmpty)
            #expect(try await f.sharing(0, open: [lane + 1: OpenCall(inputs: 1, bytes: 0)]).jobs.isEmpty)
            #expect(try await f.sharing(0, open: [lane: OpenCall(inputs: 7, bytes: 0)]).calls == [Array(ids[..<3])])
            // With a slot, one more call behind it.
            let round = try await f.sharing(1, open: [lane: OpenCall(inputs: 8, bytes: 0)])
            #expect(round.calls == [Array(ids[3..<5]), Array(ids[5..<15])] && round.lanesWithMore == [lane])
            let size = Int(try #require(try f.raw().int("SELECT bytes FROM jobs LIMIT 1")))
            #expect(try await f.sharing(0, bytes: size * 5, open: [lane: OpenCall(inputs: 1, bytes: size * 4)]).calls == [[ids[15]]])
        }
    }

    @Test func otherKindsHaveCallsOfTheirOwn() async throws {
        try await withStore { f in
            _ = try await f.add(3)
            let embeds = try await f.addEmbeds(3)
            let memories = try await f.addEmbeds(2) { $0.kind = .memorize }
            let round = try await f.sharing(9)
            #expect(round.calls.count == 3 && round.calls.contains(embeds) && round.calls.contains(memories))
            // Those with calls of their own share no token with a call that others share.
            #expect(Set(round.jobs.map(\.lease.token)).count == 3)
            let more = try await f.addEmbeds(2)
            #expect(try await f.claim().map(\.id) == more)
        }
    }

    @Test func jobsThatMustWaitGoAlong() async throws {
        try await withStore { f in
            var ids: [Int64] = []
            for priority in [1, 9, 9] { ids += try await f.addEmbeds(1) { $0.priority = priority } }
            let other = try await f.add { $0.priority = 5 }
            // Two to a call: the second late one would have to open a call, before the better job of another lane.
            let round = try await f.sharing(2, inputs: 2)
            #expect(round.calls == [[ids[0], ids[1]], [other]])
            #expect(try await f.sharing(2, inputs: 2).calls == [[ids[2]]])
        }
    }

    @Test func identicalOnesFollowWithinACall() async throws {
        try await withStore { f in
            let first = try await f.addEmbeds(4) { $0.digest = [UInt8](repeating: 3, count: 32) }
            let others = try await f.addEmbeds(2)
            let round = try await f.sharing(3, inputs: 3)
            #expect(round.calls.flatMap(\.self).sorted() == [first[0]] + others)
            #expect(try f.states(first) == [.running, .pending, .pending, .pending])
            #expect(try await f.settleTogether(round.jobs) { CallReport(target: $0.route) }.allSatisfy { $0 == .settled(.completed) })
            #expect(try f.states(first + others).allSatisfy { $0 == .completed })
        }
    }

    /// A job that two workers died of shares its call with nobody.
    @Test func aSuspectIsAlone() async throws {
        try await withStore { f in
            let ids = try await f.addEmbeds(1) { $0.maxAttempts = 9 }
            for _ in 0..<2 {
                #expect(try await f.sharing(1, worker: try f.deadWorker()).calls == [ids])
                #expect(try await f.store.maintenance.rescue() == 1)
            }
            let others = try await f.addEmbeds(3)
            let alone = try await f.sharing(5)
            #expect(alone.calls == [ids] && alone.runsAlone)
            #expect(try await f.sharing(5).calls == [others])
        }
    }

    @Test func aFallbacksCallHoldsWhatThatOneTakes() async throws {
        try await withStore { f in
            let policies = CallPolicies(
                breaker: CircuitBreaker.Policy(consecutive: 1),
                routes: ["local/e": Route(targets: [.named("local/e"), .named("other/e")])])
            _ = try await f.addEmbeds(8)
            let first = try await f.sharing(1, inputs: 1, policies)
            try await f.settle(first.jobs[0], .failed(first.jobs[0], .retryable), policies)
            let round = try await f.sharing(2, policies)
            #expect(round.calls.map(\.count) == [3, 3] && round.jobs.allSatisfy { $0.route == .named("other/e") && $0.isReserved })
            #expect(try f.state(of: "other")?.running == 2)
            try await f.settleTogether(Array(round.jobs[..<3]), policies) { CallReport(target: $0.route) }
            #expect(try f.state(of: "other/e")?.running == 1)
        }
    }

    // MARK: Limits

    @Test func aLimitOfRequestsCountsCalls() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local": CallLimits(requestsPerMinute: 2)])
            _ = try await f.addEmbeds(30)
            let round = try await f.sharing(9, policies)
            #expect(round.calls.map(\.count) == [10, 10])
            #expect(try f.heldRequests() == (["1"] + ["0"] * 9) * 2)
            #expect(try f.state(of: "local")?.running == 2 && f.state(of: "local")?.requests?.level == 0)
            #expect(try f.store.maintenance.check().faults == [])
            try await f.settleTogether(Array(round.jobs[..<10]), policies) { CallReport(target: $0.route) }
            #expect(try f.state(of: "local")?.running == 1)
            #expect(try await f.sharing(9, policies).jobs.isEmpty)
            f.clock.advance(30_000)
            #expect(try await f.sharing(9, policies).calls.map(\.count) == [10])
        }
    }

    @Test func aLimitOfCallsUnderWayCountsCalls() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local/e": CallLimits(concurrency: 1)])
            _ = try await f.addEmbeds(25)
            let round = try await f.sharing(9, policies)
            #expect(round.calls.map(\.count) == [10])
            #expect(try await f.sharing(9, policies).jobs.isEmpty)
            // As long as its first is under way.
            try await f.settleTogether(Array(round.jobs[1...]), policies) { CallReport(target: $0.route) }
            #expect(try f.state(of: "local/e")?.running == 1)
            #expect(try await f.sharing(9, policies).jobs.isEmpty)
            #expect(try await f.rings { try await f.answer(round.jobs[0], policies) })
            #expect(try await f.sharing(9, policies).calls.map(\.count) == [10])
        }
    }

    @Test func tokensOfAllCount() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local": CallLimits(tokensPerMinute: 1_000)], tokens: 60)
            _ = try await f.addEmbeds(100)
            // One call, halved until it fits: 100, 50, 25, 12.
            let round = try await f.sharing(1, inputs: 1_000, policies)
            #expect(round.calls.map(\.count) == [12])
            #expect(try f.state(of: "local")?.tokens?.level == 1_000 - 12 * 60)
            // What each really used takes the estimate's place.
            try await f.settleTogether(round.jobs, policies) { CallReport(target: $0.route, usage: Usage(inputTokens: 10)) }
            #expect(try f.state(of: "local")?.tokens?.level == 1_000 - 12 * 10)
            let next = try await f.sharing(9, inputs: 1_000, policies)
            #expect(next.jobs.count == 14 && next.calls[0].count == 11)
            #expect(try f.state(of: "local")?.tokens?.level == 1_000 - 120 - 14 * 60)
        }
    }

    @Test func moneyOfADay() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local": CallLimits(usdPerDay: 1)], worst: 0.3)
            _ = try await f.addEmbeds(8)
            let round = try await f.sharing(9, policies)
            #expect(round.jobs.count == 3)
            #expect(abs((try f.state(of: "local")?.reservedUSD ?? 0) - 0.9) < 1e-9)
            #expect(try await f.sharing(9, policies).jobs.isEmpty)
            for jobs in Dictionary(grouping: round.jobs, by: \.lease.token).values {
                try await f.settleTogether(jobs, policies) { CallReport(target: $0.route, cost: 0.1) }
            }
            #expect(abs((try f.state(of: "local")?.spentToday ?? 0) - 0.3) < 1e-9)
            #expect(try f.state(of: "local")?.reservedUSD == 0)
        }
    }

    /// One that its budget forbids leaves the call to the others, of which another is the first.
    @Test func budgetsAreEachJobsOwn() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local": CallLimits(concurrency: 3)], worst: 0.5)
            let poor = try await f.addEmbeds(1) { $0.budget = 0.4 }
            let rich = try await f.addEmbeds(2) { $0.budget = 0.6 }
            let free = try await f.addEmbeds(1)
            let round = try await f.sharing(1, policies)
            #expect(round.calls == [rich + free] && round.jobs.allSatisfy(\.isReserved))
            #expect(try f.heldRequests() == ["1", "0", "0"])
            #expect(try f.states(poor) == [.discarded])
            let batch = try await f.addEmbeds(4) {
                $0.batch = "b"
                $0.budget = 1.2
            }
            let tight = try await f.sharing(1, policies)
            #expect(tight.calls == [Array(batch[..<2])])
            #expect(try f.states(batch) == [.running, .running, .available, .available])
            #expect(try await f.sharing(1, policies).jobs.isEmpty)
            try await f.settleTogether(tight.jobs, policies) { CallReport(target: $0.route, cost: 0.1) }
            #expect(try await f.sharing(1, policies).calls == [Array(batch[2...])])
        }
    }

    /// What the cache answers is no part of the call, and not its first.
    @Test func aCachedOneIsNoPartOfTheCall() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local": CallLimits(concurrency: 1)])
            let ids = try await f.addEmbeds(3) { $0.scheduledAt = f.clock.wall + 1 }
            let digest = try f.job(ids[0]).digest
            let known = try await f.addEmbeds(1) { $0.digest = digest }
            let before = try await f.sharing(1, policies)
            #expect(before.calls == [known])
            var answer = SettleRequest.call(before.jobs[0], CallReport(target: before.jobs[0].route), policies, now: f.clock.wall)
            answer.cache = CacheWrite(digest: digest, timeToLive: 60_000)
            _ = try await f.store.claims.settle(answer)
            f.clock.advance(1)
            _ = try await f.store.maintenance.promote()
            let round = try await f.sharing(1, policies)
            #expect(round.jobs.map(\.isCached) == [true, false, false])
            #expect(try f.heldRequests() == ["0", "1", "0"])
            #expect(try await f.store.claims.settleFromCache(round.jobs[0]) == .settled(.completed))
            // The call is still under way, and counted.
            #expect(try f.state(of: "local")?.running == 1)
            #expect(try await f.sharing(1, policies).jobs.isEmpty)
        }
    }

    @Test func aProbeIsAlone() async throws {
        try await withStore { f in
            let policies = CallPolicies(breaker: CircuitBreaker.Policy(consecutive: 1, openFor: 2_000))
            _ = try await f.addEmbeds(9)
            let first = try await f.sharing(1, inputs: 2, policies)
            try await f.settleTogether(first.jobs, policies) { .failed($0, .retryable) }
            #expect(try await f.sharing(9, policies).jobs.isEmpty)
            f.clock.advance(2_000)
            let probe = try await f.sharing(9, policies)
            #expect(probe.calls.map(\.count) == [1] && probe.jobs[0].isProbe)
            try await f.answer(probe.jobs[0], policies)
            #expect(try await f.sharing(9, policies).calls.map(\.count) == [6])
        }
    }

    /// The breaker counts a shared call once.
    @Test func aCallThatFailsCountsOnce() async throws {
        try await withStore { f in
            let policies = CallPolicies(breaker: CircuitBreaker.Policy(consecutive: 3))
            _ = try await f.addEmbeds(40)
            for expected in [ProviderState.Breaker.closed, .closed, .open(until: f.clock.wall + policies.breaker.openFor)] {
                let round = try await f.sharing(1, policies)
                #expect(round.jobs.count == 10)
                try await f.settleTogether(round.jobs, policies) { .failed($0, .retryable) }
                #expect(try f.state(of: "local/e")?.breaker == expected)
            }
        }
    }

    /// Refusals teach how many calls a minute holds, and not how many jobs.
    @Test func aLearntLimitIsOfCalls() async throws {
        try await withStore { f in
            _ = try await f.addEmbeds(90)
            f.clock.wall = f.clock.wall / 60_000 * 60_000
            let round = try await f.sharing(8)
            for (number, ids) in round.calls.enumerated() {
                let jobs = round.jobs.filter { ids.contains($0.id) }
                if number < 3 {
                    try await f.settleTogether(jobs) { CallReport(target: $0.route) }
                } else {
                    try await f.settleTogether(jobs) { .failed($0, .rateLimited, retryAfter: 60_000) }
                }
            }
            #expect(try #require(try f.state(of: "local/e")?.requests?.capacity) <= 8)
        }
    }

    // MARK: The end of a call

    @Test func oneTransactionEndsAll() async throws {
        try await withStore { f in
            let ids = try await f.addEmbeds(4) { $0.batch = "b" }
            let jobs = try await f.sharing(1).jobs
            var requests = f.parts(of: jobs) { CallReport(target: $0.route, usage: Usage(inputTokens: 5), cost: 0.25) }
            requests[2] = .part(jobs[2], 2, .failed(jobs[2], .permanent), CallPolicies(), now: f.clock.wall)
            let before = f.clock.wallReads
            let results = try await f.store.claims.settle(requests)
            #expect(f.clock.wallReads == before + 1)
            #expect(results == [.settled(.completed), .settled(.completed), .settled(.discarded), .settled(.completed)])
            #expect(try f.states(ids) == [.completed, .completed, .discarded, .completed])
            // One call, and what each job's part of it cost.
            #expect(try f.charges() == [["answered", "local/e", "1", "0.25"]] + [["answered", "local/e", "0", "0.25"]] * 2)
            #expect(try f.raw().rows("SELECT calls, cost_usd FROM lanes") == [["1", "0.75"]])
            #expect(try f.store.jobs.batch(named: "b")?.discarded == 1)
        }
    }

    @Test func aLostMembersPartIsFenced() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local": CallLimits(concurrency: 2)], worst: 0.5)
            let ids = try await f.addEmbeds(3)
            let jobs = try await f.sharing(1, policies).jobs
            // Its lease ends; the others' are renewed.
            let heartbeat = try Heartbeat(f.store)
            defer { heartbeat.close() }
            f.clock.advance(59_000)
            #expect(try heartbeat.renew([jobs[0].lease, jobs[2].lease], for: 60_000).isEmpty)
            f.clock.advance(2_000)
            #expect(try await f.store.maintenance.rescue() == 1)
            #expect(try f.states(ids) == [.running, .available, .running])
            #expect(try f.state(of: "local")?.running == 1)
            #expect(try f.store.maintenance.check().faults == [])
            let results = try await f.settleTogether(jobs, policies) { CallReport(target: $0.route, cost: 0.25) }
            #expect(results == [.settled(.completed), .fenced, .settled(.completed)])
            #expect(
                try f.raw().rows("SELECT outcome, calls, cost_usd FROM charges ORDER BY job_id").map { $0.joined(separator: " ") }
                    == ["answered 1 0.25", "fenced 0 0.25", "answered 0 0.25"])
        }
    }

    // MARK: Rescue

    @Test(arguments: [100, 3])
    func aSharedCallThatHadBegun(slice: Int) async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local": CallLimits(concurrency: 2)], worst: 0.5)
            let dead = try await f.store.claims.registerWorker()
            let ids = try await f.addEmbeds(8)
            let alone = try await f.add(1)
            let round = try await f.sharing(2, policies, worker: dead.id)
            #expect(round.calls.count == 2)
            let shared = try #require(round.jobs.first { $0.id == ids[0] })
            _ = dead.calls?.begin(token: shared.lease.token)
            f.store.locks.unlock(worker: dead.id)
            #expect(try await f.store.maintenance.rescue(slice: slice) == 9)
            // The note is of the shared call alone: the other job's attempt is given back.
            #expect(try f.raw().rows("SELECT attempt, crashes FROM jobs ORDER BY id") == [["1", "1"]] * 8 + [["0", "0"]])
            #expect(try f.states(ids + alone).allSatisfy { $0 == .available })
            // What each may have cost, of one call.
            #expect(try f.charges() == [["doubtful", "local/e", "1", "0.5"]] + [["doubtful", "local/e", "0", "0.5"]] * 7)
            #expect(try f.store.maintenance.statistics().maybePaidCalls == 1)
            #expect(try f.state(of: "local")?.running == 0)
            // The answer comes late, and ends the doubt.
            let late = round.jobs.filter { ids.contains($0.id) }
            #expect(try await f.settleTogether(late, policies) { CallReport(target: $0.route, cost: 0.1) }.allSatisfy { $0 == .fenced })
            #expect(try f.charges() == [["fenced", "local/e", "1", "0.1"]] + [["fenced", "local/e", "0", "0.1"]] * 7)
        }
    }

    @Test func aSharedCallThatHadNotBegun() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local": CallLimits(requestsPerMinute: 5, concurrency: 2)], worst: 0.5)
            let dead = try await f.store.claims.registerWorker()
            _ = try await f.addEmbeds(4)
            #expect(try await f.sharing(2, policies, worker: dead.id).jobs.count == 4)
            #expect(try f.state(of: "local")?.requests?.level == 4)
            f.store.locks.unlock(worker: dead.id)
            #expect(try await f.store.maintenance.rescue() == 4)
            #expect(try f.raw().rows("SELECT attempt, crashes FROM jobs ORDER BY id") == [["0", "0"]] * 4)
            #expect(try f.charges() == [])
            #expect(try f.state(of: "local")?.requests?.level == 5 && f.state(of: "local")?.running == 0)
        }
    }
}

private func * <Element>(list: [Element], times: Int) -> [Element] { Array(repeating: list, count: times).flatMap(\.self) }
