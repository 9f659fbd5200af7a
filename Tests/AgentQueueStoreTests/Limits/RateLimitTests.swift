import AgentQueueModel
import GRDBSQLite
import Testing

@testable import AgentQueueStore

@Suite struct RateLimitTests {
    private let perMinute = CallPolicies.limiting(["local": CallLimits(requestsPerMinute: 60)])

    @Test func callsOfAMinute() async throws {
        try await withStore { f in
            _ = try await f.add(70)
            let round = try await f.round(perMinute)
            #expect(round.jobs.count == 60 && round.nextOpening == f.clock.wall + 1_000)
            #expect(try f.state(of: "local")?.running == 60)
            f.clock.advance(999)
            #expect(try await f.claim(perMinute).isEmpty)
            f.clock.advance(1)
            #expect(try await f.claim(perMinute).count == 1)
            f.clock.advance(3_000)
            #expect(try await f.claim(perMinute).count == 3)
            // Calls that end give nothing back: they were made.
            for job in round.jobs { try await f.answer(job) }
            #expect(try await f.claim(perMinute).isEmpty)
            #expect(try f.state(of: "local")?.running == 4)
        }
    }

    /// Two processes, one limit.
    @Test func storesShareALimit() async throws {
        try await withStore { f in
            let other = try f.another()
            defer { other.close() }
            let worker = try await other.claims.registerWorker().id
            _ = try await f.add(100)
            #expect(try await f.claim(perMinute, 45).count == 45)
            #expect(try await f.claim(perMinute, worker: worker, by: other).count == 15)
            #expect(try await f.claim(perMinute).isEmpty)
        }
    }

    @Test func aTargetsLimitHoldsBesideItsProviders() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting([
                "local": CallLimits(requestsPerMinute: 10), "local/a": CallLimits(requestsPerMinute: 4),
            ])
            _ = try await f.add(20, of: "local/a")
            _ = try await f.add(20, of: "local/b")
            let jobs = try await f.claim(policies)
            #expect(jobs.count { $0.target.model == "a" } == 4 && jobs.count == 10)
        }
    }

    @Test func whatIsNotLimitedLeavesNothing() async throws {
        try await withStore { f in
            _ = try await f.add(5)
            _ = try await f.add(5, of: "other/m")
            #expect(try await f.claim(perMinute.with { $0.limits = ["nobody": CallLimits(concurrency: 1)] }).count == 10)
            for table in ["resources", "reservations", "charges"] { #expect(try f.raw().int("SELECT count(*) FROM \(table)") == 0) }
        }
    }

    @Test func callsAtOnce() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local": CallLimits(concurrency: 3)])
            _ = try await f.add(6)
            let first = try await f.round(policies, 2)
            let second = try await f.round(policies)
            #expect(first.jobs.count == 2 && second.jobs.count == 1 && second.nextOpening == nil)
            #expect(try await f.rings { try await f.settle(first.jobs[0], .failed(first.jobs[0], .permanent)) })
            // No one waits: no one is called.
            #expect(try await f.claim(policies, 1).count == 1)
            #expect(try await f.rings { try await f.answer(first.jobs[1]) } == false)
            #expect(try await f.claim(policies).count == 1)
        }
    }

    @Test func tokensAreEstimatedAndThenCounted() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local/m": CallLimits(tokensPerMinute: 1_000)], tokens: 400)
            _ = try await f.add(6)
            let round = try await f.round(policies)
            // 200 are left; the other 200 flow in within 12 s.
            #expect(round.jobs.count == 2 && round.nextOpening == f.clock.wall + 12_000)
            try await f.answer(round.jobs[0], tokens: 100, policies)
            #expect(try f.state(of: "local/m")?.tokens?.level == 500)
            #expect(try await f.claim(policies).count == 1)
            // More than was thought: a debt.
            try await f.answer(round.jobs[1], tokens: 900, policies)
            #expect(try f.state(of: "local/m")?.tokens?.level == -400)
        }
    }

    @Test func inputAndOutputTokensAreLimitedApart() async throws {
        try await withStore { f in
            let policies = CallPolicies(limits: ["local": CallLimits(inputTokensPerMinute: 1_000, outputTokensPerMinute: 500)]) { _, _, _ in
                CallEstimate(inputTokens: 100, outputTokens: 200)
            }
            _ = try await f.add(6)
            #expect(try await f.claim(policies).count == 2)
            let state = try #require(try f.state(of: "local"))
            #expect(state.inputTokens?.level == 800 && state.outputTokens?.level == 100 && state.requests == nil && state.tokens == nil)
        }
    }

    @Test func aCallLargerThanTheBucketGoesWhenItIsFull() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local": CallLimits(tokensPerMinute: 1_000)], tokens: 5_000)
            _ = try await f.add(2)
            let round = try await f.round(policies)
            // A guess takes a whole bucket at most: what the call really uses is counted when it ends.
            #expect(round.jobs.count == 1 && round.nextOpening == f.clock.wall + 60_000)
            f.clock.advance(59_999)
            #expect(try await f.claim(policies).isEmpty)
            f.clock.advance(1)
            #expect(try await f.claim(policies).count == 1)
        }
    }

    @Test(arguments: [false, true])
    func whatWasNotCalledIsGivenBack(isRescued: Bool) async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local": CallLimits(requestsPerMinute: 2, tokensPerMinute: 1_000)], tokens: 500)
            _ = try await f.add(4)
            let worker = isRescued ? try await f.store.claims.registerWorker().id : f.worker
            let jobs = try await f.claim(policies, worker: worker)
            #expect(jobs.count == 2)
            if isRescued {
                f.store.locks.unlock(worker: worker)  // as its death would
                #expect(try await f.store.maintenance.rescue() == 2)
            } else {
                for job in jobs { _ = try await f.store.claims.settle(.handBack(job, now: f.clock.wall)) }
            }
            let state = try #require(try f.state(of: "local"))
            #expect(state.running == 0 && state.requests?.level == 2 && state.tokens?.level == 1_000)
            #expect(try f.charges() == [])
            #expect(try await f.claim(policies).count == 2)
        }
    }

    @Test func aShutdownBeforeAnythingWasSentGivesBack() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local": CallLimits(requestsPerMinute: 2)])
            _ = try await f.add(2)
            let jobs = try await f.claim(policies)
            try await f.settle(jobs[0], .failed(jobs[0], .shutdown), policies)
            try await f.settle(jobs[1], .failed(jobs[1], .retryable), policies)
            #expect(try f.state(of: "local")?.requests?.level == 1)
        }
    }

    // MARK: The provider's word

    @Test func limitsAreLearntFromAnswers() async throws {
        try await withStore { f in
            _ = try await f.add(30)
            let jobs = try await f.claim(CallPolicies(), 5)
            let report = CallReport(
                target: .named("local/m"), limits: ObservedLimits(requests: .init(limit: 20, remaining: 19), tokens: .init(limit: 90_000)))
            try await f.settle(jobs[0], report)
            // Four more are under way, which the answer did not see.
            let state = try #require(try f.state(of: "local/m"))
            #expect(state.requests == ProviderState.Level(capacity: 20, level: 16, isLearnt: true))
            #expect(state.tokens?.capacity == 90_000 && state.tokens?.isLearnt == true)
            #expect(try f.state(of: "local")?.requests == nil)
            // It is known after a restart, and to those who have nothing in their configuration.
            let other = try f.another()
            defer { other.close() }
            #expect(try await f.claim(CallPolicies(), by: other).count == 16)
            #expect(try f.count(of: "reservations") == 16)
        }
    }

    @Test(arguments: [(10, 10.0, false), (500, 60.0, true)])
    func theTighterLimitHolds(_ configured: Int, _ capacity: Double, _ isLearnt: Bool) async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local/m": CallLimits(requestsPerMinute: configured)])
            _ = try await f.add(3)
            for job in try await f.claim(policies) {
                try await f.settle(
                    job, CallReport(target: job.route, limits: ObservedLimits(requests: .init(limit: 60, remaining: 50))), policies)
            }
            _ = try await f.add(1)
            _ = try await f.claim(policies)
            #expect(try f.state(of: "local/m")?.requests?.capacity == capacity)
            #expect(try f.state(of: "local/m")?.requests?.isLearnt == isLearnt)
        }
    }

    @Test func aConfiguredLimitBindsOnlyThoseWhoHaveIt() async throws {
        try await withStore { f in
            _ = try await f.add(100)
            #expect(try await f.claim(perMinute).count == 60)
            #expect(try await f.claim(CallPolicies(), 5).count == 5)
        }
    }

    // MARK: Flatness

    /// A blocked lane is passed over whole: no job is touched, and none is read.
    @Test func aBlockedLaneCostsNothing() async throws {
        try await withStore(durability: .normal) { f in
            for _ in 0..<20 { _ = try await f.add(1_000) }
            let policies = CallPolicies.limiting(["local": CallLimits(concurrency: 1)])
            let running = try await f.claim(policies)
            #expect(running.count == 1)
            _ = try await f.claim(policies)
            let (before, changes) = try await f.store.write { transaction in
                (try transaction.statement("SELECT value FROM counters WHERE name = 'token'").first { $0.int64(0) }, transaction.changes)
            }
            let round = try await f.round(policies)
            #expect(round.jobs.isEmpty)
            let (after, later) = try await f.store.write { transaction in
                (try transaction.statement("SELECT value FROM counters WHERE name = 'token'").first { $0.int64(0) }, transaction.changes)
            }
            #expect(before == after && changes == later, "a round that claims nothing writes nothing")
            // One by one too: the first entry of the index, and no more.
            let costly = CallPolicies.limiting(["local": CallLimits(tokensPerMinute: 1_000)], tokens: 600)
            let token = try #require(try await f.round(costly).jobs.first)
            #expect(token.id == running[0].id + 1)
            #expect(try await f.claim(costly).isEmpty)
        }
    }
}

extension CallPolicies {
    func with(_ change: (inout CallPolicies) -> Void) -> CallPolicies {
        var policies = self
        change(&policies)
        return policies
    }
}

extension WriteTransaction {
    /// Rows that the connection has changed, ever.
    var changes: Int { Int(sqlite3_total_changes(connection.handle)) }
}
