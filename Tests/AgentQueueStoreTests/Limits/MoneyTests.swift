import AgentQueueModel
import Testing

@testable import AgentQueueStore

@Suite struct MoneyTests {
    private static let day: Int64 = 86_400_000

    private func capped(_ cap: Double, worst: Double, on name: String = "local") -> CallPolicies {
        .limiting([name: CallLimits(usdPerDay: cap)], worst: worst)
    }

    @Test(arguments: ["local", "local/m"])
    func aDaysMoneyIsReservedBeforeItIsSpent(_ name: String) async throws {
        try await withStore { f in
            let policies = capped(1, worst: 0.4, on: name)
            _ = try await f.add(9)
            f.clock.advance(1_000)
            let midnight = (f.clock.wall / Self.day + 1) * Self.day
            let round = try await f.round(policies)
            // What is only set aside may be free before midnight: the end of a call will ring.
            #expect(round.jobs.count == 2 && round.nextOpening == nil)
            #expect(round.jobs.allSatisfy { $0.worstCost == 0.4 })
            #expect(try f.state(of: name)?.reservedUSD == 0.8)
            // It cost less than it might have: there is room for another, and it is said.
            #expect(try await f.rings { try await f.answer(round.jobs[0], cost: 0.1, policies) })
            #expect(try await f.claim(policies).count == 1)
            #expect(try f.state(of: name)?.spentToday == 0.1)
            #expect(try await f.claim(policies).isEmpty)
            f.clock.wall = midnight
            #expect(try f.state(of: name)?.spentToday == 0)
            #expect(try await f.claim(policies).count == 0, "what is under way counts for the new day")
            try await f.answer(round.jobs[1], cost: 0.4, policies)
            #expect(try f.state(of: name)?.spentToday == 0.4)
        }
    }

    @Test func aCapOfNothingLetsThroughWhatCostsNothing() async throws {
        try await withStore { f in
            _ = try await f.add(3)
            #expect(try await f.claim(capped(0, worst: 0)).count == 3)
        }
    }

    @Test func whatNoDayCanPayForIsDiscarded() async throws {
        try await withStore { f in
            let ids = try await f.add(3)
            let dependent = try await f.add { $0.after = [ids[0]] }
            let cheap = try await f.add(1, of: "other/m")
            let round = try await f.round(capped(1, worst: 1.5))
            #expect(round.jobs.map(\.id) == cheap)
            #expect(try f.states(ids) == [.discarded, .discarded, .discarded])
            let job = try f.job(ids[0])
            #expect(job.attempt == 0 && job.errors.map(\.failure) == [.quotaExhausted])
            #expect(
                job.errors[0].message
                    == "the call may cost $1.50, more than 'local' may cost in a day (usd_per_day $1.00)")
            try await f.cascade()
            #expect(try f.state(dependent) == .cancelled)
        }
    }

    /// As many as one round may turn away; the next goes on.
    @Test func discardsAreBounded() async throws {
        try await withStore(durability: .normal) { f in
            _ = try await f.add(250)
            let policies = capped(1, worst: 2)
            #expect(try await f.rings { _ = try await f.claim(policies) })
            #expect(try f.store.maintenance.statistics().count(.discarded) == 100)
            #expect(try await f.rings { _ = try await f.claim(policies) })
            #expect(try await f.rings { _ = try await f.claim(policies) } == false)
            #expect(try f.store.maintenance.statistics().count(.discarded) == 250)
        }
    }

    @Test func aFallbackMayAffordIt() async throws {
        try await withStore { f in
            let ids = try await f.add(2)
            var policies = CallPolicies(
                limits: ["local": CallLimits(usdPerDay: 1)],
                routes: ["local/m": Route(targets: [.named("local/m"), .named("other/cheap")])]
            ) { target, _, _ in CallEstimate(worstCost: target.provider == "local" ? 2 : 0.1) }
            #expect(try await f.claim(policies).map(\.route) == [.named("other/cheap"), .named("other/cheap")])
            #expect(try f.states(ids) == [.running, .running])
            policies.limits["other"] = CallLimits(usdPerDay: 0.01)
            let more = try await f.add(1)
            #expect(try await f.claim(policies).isEmpty)
            #expect(try f.states(more) == [.discarded])
        }
    }

    /// A price that is no number stops nothing.
    @Test func whatIsNoPriceIsNone() async throws {
        try await withStore { f in
            let ids = try await f.add(2)
            let policies = capped(1, worst: .nan)
            let jobs = try await f.claim(policies)
            #expect(jobs.map(\.id) == ids)
            try await f.settle(jobs[0], CallReport(target: jobs[0].route, cost: .nan), policies)
            try await f.settle(
                jobs[1], CallReport(target: jobs[1].route, failure: .quotaExhausted, isMaybePaid: true, maybeCost: .infinity), policies)
            #expect(try f.charges().map { $0[3] } == ["0.0", "0.0"])
        }
    }

    // MARK: Budgets

    @Test func aBatchesBudget() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting([:], worst: 1)
            let ids = try await f.add(5) {
                $0.batch = "b"
                $0.budget = 2.5
            }
            #expect(try f.job(ids[0]).budget == 2.5)
            let jobs = try await f.claim(policies)
            #expect(jobs.map(\.id) == [ids[0], ids[1]])
            // Calls under way may leave something: the others wait for that, where they stand, and nobody turns them over meanwhile.
            #expect(try f.states(ids) == [.running, .running, .available, .available, .available])
            #expect(try f.job(ids[2]).attempt == 0)
            let rings = try await f.rings { _ = try await f.claim(policies) }
            #expect(!rings)
            #expect(try f.states(ids) == [.running, .running, .available, .available, .available])
            #expect(try await f.rings { try await f.answer(jobs[0], cost: 0.2, policies) })
            try await f.answer(jobs[1], cost: 0.9, policies)
            let third = try await f.claim(policies)
            #expect(third.map(\.id) == [ids[2]])
            try await f.answer(third[0], cost: 0.7, policies)
            #expect(try await f.claim(policies).isEmpty)
            #expect(try f.states([ids[3], ids[4]]) == [.discarded, .discarded])
            #expect(
                try f.job(ids[4]).errors.map(\.message) == [
                    "the budget of its batch ($2.50) does not allow the call: $1.80 is spent, and it may cost $1.00"
                ])
            #expect(try f.raw().rows("SELECT spent_usd, reserved_usd FROM batches") == [["1.8", "0.0"]])
        }
    }

    @Test func aLaterWordOnABatchesBudgetHolds() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting([:], worst: 1)
            _ = try await f.add {
                $0.batch = "b"
                $0.budget = 0.5
            }
            _ = try await f.add { $0.batch = "b" }
            _ = try await f.add {
                $0.batch = "b"
                $0.budget = 9
            }
            #expect(try await f.claim(policies).count == 3)
        }
    }

    @Test func aJobsOwnBudgetCountsItsEarlierAttempts() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting([:], worst: 0.4)
            let id = try await f.add {
                $0.budget = 1
                $0.maxAttempts = 9
            }
            #expect(try f.job(id).budget == 1)
            for cost in [0.3, 0.31] {
                let job = try #require(try await f.claim(policies).first)
                #expect(job.worstCost == 0.4)
                try await f.settle(
                    job, CallReport(target: job.route, cost: cost, failure: .invalidReply, partialText: "half"), policies)
                f.clock.advance(10_000)
                _ = try await f.store.maintenance.promote()
            }
            #expect(try f.job(id).errors.map(\.cost) == [0.3, 0.31])
            #expect(try f.job(id).errors.map(\.target) == ["local/m", "local/m"])
            #expect(try await f.claim(policies).isEmpty)
            #expect(
                try f.job(id).errors.last?.message
                    == "the budget of the job ($1.00) does not allow the call: $0.61 is spent, and it may cost $0.40")
            #expect(try f.state(id) == .discarded)
        }
    }

    /// However many errors a job has had, what they cost is not forgotten.
    @Test func whatErrorsCostOutlastsThem() async throws {
        try await withStore { f in
            let id = try await f.add { $0.budget = 1 }
            let first = try await f.one()
            try await f.settle(first, CallReport(target: first.route, cost: 0.9, failure: .invalidReply))
            for _ in 0..<60 {
                f.clock.advance(70_000)
                _ = try await f.store.maintenance.promote()
                let job = try await f.one()
                try await f.settle(job, .failed(job, .overloaded))
            }
            f.clock.advance(70_000)
            _ = try await f.store.maintenance.promote()
            #expect(try f.job(id).errors.count == 51)
            #expect(try await f.claim(.limiting([:], worst: 0.2)).isEmpty)
            #expect(try f.state(id) == .discarded)
        }
    }

    // MARK: Charges

    @Test func oneChargeForEachCallThatWasPaid() async throws {
        try await withStore { f in
            _ = try await f.add(6)
            let jobs = try await f.claim(CallPolicies())
            try await f.settle(
                jobs[0], CallReport(target: jobs[0].route, usage: Usage(inputTokens: 7, outputTokens: 2), cost: 0.25, calls: 2))
            try await f.settle(jobs[1], CallReport(target: jobs[1].route, cost: 0.5, failure: .invalidReply))
            try await f.settle(jobs[2], .failed(jobs[2], .retryable))
            try await f.settle(jobs[3], CallReport(target: jobs[3].route, calls: 0, failure: .timedOut, isMaybePaid: true, maybeCost: 2))
            try await f.settle(jobs[4], CallReport(target: jobs[4].route, calls: 0, failure: .shutdown, isMaybePaid: true, maybeCost: 4))
            #expect(
                try f.charges() == [
                    ["answered", "local/m", "2", "0.25"], ["failed", "local/m", "1", "0.5"], ["doubtful", "local/m", "1", "2.0"],
                    ["doubtful", "local/m", "1", "4.0"],
                ])
            #expect(
                try f.raw().rows("SELECT job_id, attempt, input_tokens, output_tokens, at FROM charges LIMIT 1") == [
                    ["\(jobs[0].id)", "1", "7", "2", "\(f.clock.wall)"]
                ])
            let statistics = try f.store.maintenance.statistics()
            #expect(statistics.maybePaidCalls == 2 && statistics.maybePaidUSD == 6)
            #expect(statistics.providers.map(\.name) == ["local", "local/m"] && statistics.providers.map(\.spentToday) == [6.75, 6.75])
            #expect(try f.store.providers.doubtfulCalls(limit: 9).map(\.jobID) == [jobs[4].id, jobs[3].id])
            #expect(try f.store.providers.doubtfulCalls(limit: 1).map(\.cost) == [4])
            // It outlives its job.
            try await f.settle(jobs[5], .failed(jobs[5], .permanent))
            _ = try await f.store.jobs.delete(ids: [jobs[0].id])
            #expect(try f.charges().count == 4)
        }
    }

    @Test func aCallWhoseWorkerDiedIsDoubtful() async throws {
        try await withStore { f in
            let policies = capped(10, worst: 3)
            _ = try await f.add(2) { $0.batch = "b" }
            let dead = try f.deadWorker(bootID: "an earlier boot")
            let jobs = try await f.claim(policies, 1, worker: dead)
            _ = try await f.store.maintenance.rescue()
            #expect(try f.charges() == [["doubtful", "local/m", "1", "3.0"]])
            #expect(try f.state(of: "local")?.spentToday == 3 && f.state(of: "local")?.reservedUSD == 0)
            #expect(try f.job(jobs[0].id).errors.map(\.cost) == [3])
            // Its late answer says what it really cost; it is still one call.
            #expect(try await f.answer(jobs[0], cost: 0.5, policies) == .fenced)
            #expect(try f.charges() == [["fenced", "local/m", "1", "0.5"]])
            #expect(try f.state(of: "local")?.spentToday == 0.5)
            #expect(try f.store.maintenance.statistics().maybePaidCalls == 0)
            #expect(try f.raw().rows("SELECT spent_usd FROM batches") == [["0.5"]])
        }
    }

    @Test func aLateEndWithoutADoubtIsCharged() async throws {
        try await withStore { f in
            let job = try await f.running()
            _ = try await f.store.claims.settle(.handBack(job, now: f.clock.wall))
            #expect(try await f.answer(job, cost: 0.5) == .fenced)
            #expect(try f.charges() == [["fenced", "local/m", "1", "0.5"]])
            #expect(try f.state(of: "local/m")?.spentToday == 0.5)
        }
    }

    @Test func aLateEndMayShowThatNothingWasPaid() async throws {
        try await withStore { f in
            _ = try await f.add(1)
            let job = try #require(try await f.claim(capped(10, worst: 3), worker: try f.deadWorker(bootID: "an earlier boot")).first)
            _ = try await f.store.maintenance.rescue()
            try await f.settle(job, .failed(job, .retryable))
            #expect(try f.charges() == [] && f.state(of: "local")?.spentToday == 0)
        }
    }

    /// A call of another day than the last that was paid for, thought to have cost nothing, and then known to have.
    @Test func aLateCostBeginsADay() async throws {
        try await withStore { f in
            _ = try await f.add(2)
            try await f.answer(f.one(), cost: 1)
            f.clock.advance(Self.day)
            let job = try await f.one(worker: try f.deadWorker(bootID: "an earlier boot"))
            _ = try await f.store.maintenance.rescue()
            #expect(try f.state(of: "local")?.spentToday == 0)
            try await f.answer(job, cost: 0.25)
            #expect(try f.state(of: "local")?.spentToday == 0.25 && f.state(of: "local/m")?.spentToday == 0.25)
            #expect(try f.store.maintenance.check().faults == [])
        }
    }

    @Test func chargesAreKeptForNinetyDays() async throws {
        try await withStore(durability: .normal) { f in
            let policy = PrunePolicy(completed: .max / 4, cancelled: .max / 4, discarded: .max / 4)
            _ = try await f.add(1_301) { $0.batch = "b" }
            for job in try await f.claim(CallPolicies(), 1_300) { try await f.answer(job, cost: 0.01) }
            f.clock.advance(50 * Self.day)
            try await f.answer(f.one(), cost: 0.5)
            f.clock.advance(40 * Self.day - 1)
            _ = try await f.store.maintenance.prune(policy)
            #expect(try f.charges().count == 1_301)
            f.clock.advance(2)
            _ = try await f.store.maintenance.prune(policy)
            #expect(try f.charges() == [["answered", "local/m", "1", "0.5"]])
            #expect(try f.store.maintenance.check().faults == [])
        }
    }
}
