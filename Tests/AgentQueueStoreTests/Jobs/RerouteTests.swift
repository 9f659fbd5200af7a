import AgentQueueModel
import Testing

@testable import AgentQueueStore

@Suite struct RerouteTests {
    private let candidates: [AgentQueueModel.Target] = [.named("local/b"), .named("other/b")]

    private func failed(_ f: Fixture, _ job: ClaimedJob, _ report: CallReport, _ policies: CallPolicies = CallPolicies()) -> SettleRequest {
        .call(job, report, policies, now: f.clock.wall)
    }

    @Test func anAttemptGoesOnWithAnotherTarget() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local": CallLimits(concurrency: 1)], worst: 0.7)
            _ = try await f.add(2)
            let job = try #require(try await f.claim(policies).first)
            let report = CallReport(target: job.route, cost: 0.25, failure: .invalidReply, partialText: "half of it")
            // Its own reservation is free for the next call.
            let next = try #require(try await f.store.claims.reroute(failed(f, job, report, policies), to: candidates))
            #expect(next.lease == job.lease && next.route == .named("local/b") && next.target == job.target && next.attempt == 1)
            #expect(next.worstCost == 0.7 && !next.isProbe)
            #expect(try f.state(job.id) == .running)
            #expect(try f.charges() == [["failed", "local/m", "1", "0.25"]])
            let error = try #require(try f.job(job.id).errors.first)
            #expect(error.target == "local/m" && error.cost == 0.25 && error.partialText == "half of it" && error.failure == .invalidReply)
            #expect(try f.state(of: "local")?.running == 1 && f.state(of: "local/m")?.running == 0 && f.state(of: "local/b")?.running == 1)
            #expect(try f.store.maintenance.check().faults == [])
            #expect(try await f.answer(next, cost: 0.5, policies) == .settled(.completed))
            #expect(try f.charges().last == ["answered", "local/b", "1", "0.5"])
            #expect(try f.state(of: "local")?.running == 0 && f.state(of: "local")?.spentToday == 0.75)
        }
    }

    /// What the failed call says holds for the candidates too.
    @Test func aPausedProviderIsNoCandidate() async throws {
        try await withStore { f in
            _ = try await f.add(1)
            let job = try #require(try await f.claim(CallPolicies()).first)
            let request = failed(f, job, .failed(job, .authentication, scope: .provider))
            let next = try #require(try await f.store.claims.reroute(request, to: candidates))
            #expect(next.route == .named("other/b"))
            #expect(try f.state(of: "local")?.pauseClass == .authentication)
        }
    }

    @Test func nothingIsWrittenWhereNoneAdmits() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local": CallLimits(concurrency: 1), "other": CallLimits(concurrency: 0)])
            _ = try await f.add(1)
            let job = try #require(try await f.claim(policies).first)
            let before = try f.store.providers.states()
            let request = failed(f, job, CallReport(target: job.route, cost: 1, failure: .authentication, scope: .provider), policies)
            #expect(try await f.store.claims.reroute(request, to: candidates) == nil)
            #expect(try await f.store.claims.reroute(request, to: []) == nil)
            #expect(try f.store.providers.states() == before && f.charges() == [] && f.job(job.id).errors == [])
            #expect(try f.count(of: "reservations") == 1)
            #expect(try await f.store.claims.settle(request) == .settled(.retryable))
            #expect(try f.charges().count == 1)
        }
    }

    @Test func theFenceHolds() async throws {
        try await withStore { f in
            _ = try await f.add(2)
            let jobs = try await f.claim(CallPolicies())
            _ = try await f.store.jobs.cancel(ids: [jobs[0].id])
            #expect(try await f.store.claims.reroute(failed(f, jobs[0], .failed(jobs[0], .retryable)), to: candidates) == nil)
            try await f.answer(jobs[1])
            #expect(try await f.store.claims.reroute(failed(f, jobs[1], .failed(jobs[1], .retryable)), to: candidates) == nil)
            try await f.settle(jobs[0], .failed(jobs[0], .cancelled))
        }
    }

    @Test func moneyIsLookedAt() async throws {
        try await withStore { f in
            let policies = CallPolicies(limits: ["other": CallLimits(usdPerDay: 1)]) { target, _, _ in
                CallEstimate(worstCost: target.provider == "other" ? 0.6 : 0.1)
            }
            let id = try await f.add { $0.budget = 0.65 }
            _ = try await f.add(1)
            let jobs = try await f.claim(policies)
            let other = [AgentQueueModel.Target.named("other/b")]
            // The job's own budget: 0.1 was spent, and 0.6 more is too much.
            let poor = failed(f, jobs[0], CallReport(target: jobs[0].route, cost: 0.1, failure: .invalidReply), policies)
            #expect(jobs[0].id == id)
            #expect(try await f.store.claims.reroute(poor, to: other) == nil)
            let next = try #require(try await f.store.claims.reroute(failed(f, jobs[1], .failed(jobs[1], .retryable), policies), to: other))
            #expect(try f.state(of: "other")?.reservedUSD == 0.6)
            // The day's money is set aside already.
            _ = try await f.add(1)
            let third = try #require(try await f.claim(policies).first)
            #expect(try await f.store.claims.reroute(failed(f, third, .failed(third, .retryable), policies), to: other) == nil)
            try await f.answer(next, cost: 0.2, policies)
            #expect(try await f.store.claims.reroute(failed(f, third, .failed(third, .retryable), policies), to: other) != nil)
        }
    }

    /// A rerouted call can be the probe of a breaker that opened after its lease began.
    @Test func aReroutedCallCanBeTheProbe() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting([:], breaker: CircuitBreaker.Policy(consecutive: 1, openFor: 1_000))
            _ = try await f.add(1)
            _ = try await f.add(1, of: "other/b")
            let jobs = try await f.claim(policies)
            let mine = try #require(jobs.first { $0.target.provider == "local" })
            let theirs = try #require(jobs.first { $0.target.provider == "other" })
            #expect(mine.lease.token == theirs.lease.token)
            // A sibling's call fails at the candidate, before and after the probe began: the second says nothing.
            _ = try await f.add(1, of: "other/b")
            let first = try #require(try await f.claim(policies).first)
            try await f.settle(first, .failed(first, .retryable), policies)
            f.clock.advance(1_000)
            let probe = try #require(
                try await f.store.claims.reroute(failed(f, mine, .failed(mine, .retryable), policies), to: [.named("other/b")]))
            #expect(probe.isProbe)
            try await f.settle(theirs, .failed(theirs, .timedOut), policies)
            #expect(try f.state(of: "other/b")?.breaker == .halfOpen)
            try await f.answer(probe, policies)
            #expect(try f.state(of: "other/b")?.breaker == .closed)
        }
    }

    @Test func aReroutedCallIsRescued() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["other": CallLimits(usdPerDay: 9)], worst: 2)
            _ = try await f.add(1)
            let dead = try f.deadWorker(bootID: "an earlier boot")
            let job = try #require(try await f.claim(policies, worker: dead).first)
            _ = try await f.store.claims.reroute(failed(f, job, .failed(job, .retryable), policies), to: [.named("other/b")])
            #expect(try await f.store.maintenance.rescue() == 1)
            #expect(try f.charges() == [["doubtful", "other/b", "1", "2.0"]])
        }
    }
}
