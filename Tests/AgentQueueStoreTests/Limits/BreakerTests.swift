import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// Breakers and pauses, shared by all processes.
@Suite struct BreakerTests {
    private let policies = CallPolicies.limiting([:], breaker: CircuitBreaker.Policy(consecutive: 3, openFor: 30_000))

    /// Opens the breaker of `local/m`.
    private func trip(_ f: Fixture, scope: FailureScope = .target) async throws {
        for _ in 0..<3 {
            let job = try #require(try await f.claim(policies, 1).first)
            try await f.settle(job, .failed(job, .retryable, scope: scope), policies)
        }
    }

    @Test func failuresInARowOpenIt() async throws {
        try await withStore { f in
            _ = try await f.add(20)
            try await trip(f)
            let until = f.clock.wall + 30_000
            #expect(try f.state(of: "local/m")?.breaker == .open(until: until))
            #expect(try f.state(of: "local")?.breaker == .closed)
            #expect(
                try f.state(of: "local/m")?.lastError
                    == ProviderState.LastError(failure: .retryable, message: "it failed", at: f.clock.wall))
            let round = try await f.round(policies)
            #expect(round.jobs.isEmpty && round.nextOpening == until)
            _ = try await f.add(2, of: "local/other")
            #expect(try await f.claim(policies).count == 2, "another target of the provider is another matter")
        }
    }

    @Test func aFailureOfTheProviderConcernsAllItsTargets() async throws {
        try await withStore { f in
            _ = try await f.add(5)
            try await trip(f, scope: .provider)
            _ = try await f.add(2, of: "local/other")
            #expect(try await f.claim(policies).isEmpty)
        }
    }

    @Test(arguments: [FailureClass.permanent, .refused, .invalidReply, .rateLimited, .shutdown, .cancelled])
    func whatIsNotItsFaultDoesNotOpenIt(_ failure: FailureClass) async throws {
        try await withStore { f in
            _ = try await f.add(9)
            for _ in 0..<6 {
                guard let job = try await f.claim(policies, 1).first else { break }
                try await f.settle(job, .failed(job, failure), policies)
                f.clock.advance(2_000)
            }
            #expect(try f.state(of: "local/m")?.breaker ?? .closed == .closed)
        }
    }

    /// Two processes, one probe.
    @Test func oneProbeAmongAll() async throws {
        try await withStore { f in
            let other = try f.another()
            defer { other.close() }
            let worker = try await other.claims.registerWorker().id
            _ = try await f.add(50)
            try await trip(f)
            f.clock.advance(30_000)
            let rounds = try await withThrowingTaskGroup(of: [ClaimedJob].self) { group in
                for index in 0..<20 {
                    let store = index.isMultiple(of: 2) ? f.store : other
                    let id = index.isMultiple(of: 2) ? f.worker : worker
                    group.addTask { [policies] in try await f.claim(policies, 10, worker: id, by: store) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let probes = rounds.flatMap(\.self)
            #expect(probes.count == 1 && probes[0].isProbe)
            #expect(try f.state(of: "local/m")?.breaker == .halfOpen)
            // Its success lets all through, and says so.
            #expect(try await f.rings { try await f.answer(probes[0], policies) })
            #expect(try f.state(of: "local/m")?.breaker == .closed)
            let jobs = try await f.claim(policies)
            #expect(jobs.count == 46 && jobs.allSatisfy { !$0.isProbe })
        }
    }

    @Test func aFailedProbeOpensItAgain() async throws {
        try await withStore { f in
            _ = try await f.add(9)
            try await trip(f)
            f.clock.advance(31_000)
            let probe = try #require(try await f.claim(policies).first)
            try await f.settle(probe, .failed(probe, .timedOut), policies)
            #expect(try f.state(of: "local/m")?.breaker == .open(until: f.clock.wall + 30_000))
        }
    }

    /// A call from before it opened decides nothing.
    @Test func onlyTheProbeDecides() async throws {
        try await withStore { f in
            _ = try await f.add(9)
            let old = try await f.claim(policies, 2)
            try await trip(f)
            try await f.answer(old[0], policies)
            #expect(try f.state(of: "local/m")?.breaker == .open(until: f.clock.wall + 30_000))
            f.clock.advance(30_000)
            _ = try await f.claim(policies)
            try await f.answer(old[1], policies)
            #expect(try f.state(of: "local/m")?.breaker == .halfOpen)
        }
    }

    /// A probe that says nothing makes room for another.
    @Test(arguments: ["handed back", "rescued", "begun and rescued", "cancelled", "refused a key"])
    func aProbeThatSaysNothing(_ end: String) async throws {
        try await withStore { f in
            _ = try await f.add(9)
            try await trip(f)
            f.clock.advance(30_000)
            let registration = try await f.store.claims.registerWorker()
            let worker = registration.id
            let probe = try #require(try await f.claim(policies, worker: worker).first)
            #expect(try await f.claim(policies).isEmpty)
            let rings = try await f.rings {
                switch end {
                case "handed back": _ = try await f.store.claims.settle(.handBack(probe, now: f.clock.wall))
                case "cancelled": try await f.settle(probe, .failed(probe, .cancelled), policies)
                case "refused a key": try await f.settle(probe, .failed(probe, .authentication, scope: .provider), policies)
                default:
                    if end.hasPrefix("begun") { _ = registration.calls?.begin(job: probe.id) }
                    f.store.locks.unlock(worker: worker)  // as its death would
                    #expect(try await f.store.maintenance.rescue() == 1)
                }
            }
            #expect(rings)
            if end == "refused a key" { f.clock.advance(60_000) }
            let next = try await f.claim(policies)
            #expect(next.count == 1 && next[0].isProbe)
        }
    }

    // MARK: Pauses

    @Test(
        arguments: [
            (.authentication, nil, [60_000, 120_000, 240_000, 480_000, 960_000, 1_920_000, 3_600_000, 3_600_000]),
            (.quotaExhausted, nil, [600_000, 1_200_000, 2_400_000, 4_800_000, 9_600_000, 19_200_000, 21_600_000]),
            (.quotaExhausted, 77_000, [77_000, 77_000]), (.quotaExhausted, 0, [600_000, 1_200_000]),
            (.quotaExhausted, 1, [1, 1_000, 2_000, 4_000]),
        ] as [(FailureClass, Int64?, [Int64])])
    func aRefusedKeyOrAnEmptyAccountPauses(_ failure: FailureClass, _ retryAfter: Int64?, _ waits: [Int64]) async throws {
        try await withStore { f in
            _ = try await f.add(12, of: "local/a")
            _ = try await f.add(12, of: "local/b")
            for wait in waits {
                let jobs = try await f.claim(policies, 1)
                let job = try #require(jobs.first)
                try await f.settle(job, .failed(job, failure, retryAfter: retryAfter, scope: .provider), policies)
                let state = try #require(try f.state(of: "local"))
                #expect(state.pausedUntil == f.clock.wall + wait && state.pauseClass == failure && state.pauseReason == "it failed")
                #expect(try await f.round(policies).nextOpening == f.clock.wall + wait)
                #expect(try f.job(job.id).attempt == 0, "it is not the job's fault")
                f.clock.advance(wait)
                // One at a time.
                let trial = try await f.claim(policies)
                #expect(trial.count == 1)
                #expect(try await f.claim(policies).isEmpty)
                _ = try await f.store.claims.settle(.handBack(trial[0], now: f.clock.wall))
            }
            // One success clears it.
            try await f.answer(#require(try await f.claim(policies).first), policies)
            #expect(try f.state(of: "local")?.pauseReason == nil)
            #expect(try await f.claim(policies).count > 2)
        }
    }

    @Test func aTargetsPauseIsItsOwn() async throws {
        try await withStore { f in
            _ = try await f.add(3, of: "local/a")
            let job = try #require(try await f.claim(policies, 1).first)
            try await f.settle(job, .failed(job, .authentication), policies)
            _ = try await f.add(3, of: "local/b")
            #expect(try await f.claim(policies).allSatisfy { $0.target.model == "b" })
        }
    }

    @Test func aPersonResumesAProvider() async throws {
        try await withStore { f in
            #expect(try await f.store.providers.resume(provider: "local") == false)
            _ = try await f.add(20)
            let jobs = try await f.claim(policies, 4)
            try await f.settle(jobs[0], .failed(jobs[0], .authentication, scope: .provider), policies)
            for job in jobs[1...] { try await f.settle(job, .failed(job, .retryable), policies) }
            _ = try await f.add(1, of: "localhost/m")
            #expect(try await f.claim(policies).isEmpty)
            #expect(try await f.rings { try await f.store.providers.resume(provider: "local") })
            #expect(try await f.claim(policies).count == 16)
        }
    }

    // MARK: Routes

    private func routed(_ fallbackAfter: Int64? = nil, _ limits: [String: CallLimits] = [:]) -> CallPolicies {
        .limiting(
            limits, routes: ["local/m": Route(targets: [.named("local/m"), .named("other/b")], fallbackAfter: fallbackAfter)],
            breaker: policies.breaker)
    }

    @Test(arguments: ["breaker", "probe", "key", "account"])
    func aTargetThatDoesNotWorkIsNotWaitedFor(_ fault: String) async throws {
        try await withStore { f in
            _ = try await f.add(20)
            if fault == "breaker" || fault == "probe" {
                try await trip(f)
                if fault == "probe" {
                    f.clock.advance(30_000)
                    #expect(try await f.claim(policies).count == 1)
                }
            } else {
                let job = try #require(try await f.claim(policies, 1).first)
                try await f.settle(job, .failed(job, fault == "key" ? .authentication : .quotaExhausted, scope: .provider), policies)
            }
            let jobs = try await f.claim(routed(), 5)
            #expect(jobs.count == 5 && jobs.allSatisfy { $0.route == .named("other/b") && $0.target == .named("local/m") })
            // What a fallback does is held, and counted for it.
            #expect(try f.state(of: "other/b")?.running == 5)
            try await f.answer(jobs[0], cost: 0.5)
            #expect(try f.state(of: "other")?.spentToday == 0.5)
        }
    }

    @Test func aBusyTargetIsWaitedForUnlessItTakesTooLong() async throws {
        try await withStore { f in
            let limits = ["local": CallLimits(requestsPerMinute: 6)]
            _ = try await f.add(20)
            #expect(try await f.claim(routed(nil, limits)).count == 6)
            let patient = try await f.round(routed(10_000, limits))
            #expect(patient.jobs.isEmpty && patient.nextOpening == f.clock.wall + 10_000)
            let hasty = try await f.claim(routed(9_999, limits), 2)
            #expect(hasty.map(\.route) == [.named("other/b"), .named("other/b")])
        }
    }

    @Test func aTargetWithoutAFreeCallIsWaitedForThatLong() async throws {
        try await withStore { f in
            let limits = ["local": CallLimits(concurrency: 1)]
            _ = try await f.add(20)
            #expect(try await f.claim(routed(5_000, limits)).map(\.route) == [.named("local/m")])
            let round = try await f.round(routed(5_000, limits))
            #expect(round.jobs.isEmpty && round.nextOpening == f.clock.wall + 5_000)
            f.clock.advance(4_999)
            #expect(try await f.claim(routed(5_000, limits)).isEmpty)
            f.clock.advance(1)
            #expect(try await f.claim(routed(5_000, limits), 3).map(\.route.provider) == ["other", "other", "other"])
        }
    }

    @Test func aWorkerWithoutTheProviderServesItsFallback() async throws {
        try await withStore { f in
            _ = try await f.add(4)
            let routes = ["local/m": Route(targets: [.named("other/b")])]
            let request = ClaimRequest(
                worker: f.worker, queues: nil, providers: ["other"], slots: 2, lease: 1_000, isIdle: true,
                policies: .limiting([:], routes: routes))
            let jobs = try await f.store.claims.claim(request).jobs
            #expect(jobs.map(\.route) == [.named("other/b"), .named("other/b")])
            var nothing = request
            nothing.policies.routes = ["local/m": Route(targets: [])]
            #expect(try await f.store.claims.claim(nothing).jobs.isEmpty)
            for job in jobs { _ = try await f.store.claims.settle(.handBack(job, now: f.clock.wall)) }
        }
    }

    /// A job that must run alone does not hold up the others while its provider is closed to it.
    @Test func aSuspectOfAClosedLaneHoldsNoOneUp() async throws {
        try await withStore { f in
            let id = try #require(try await f.add(1, of: "local/a").first)
            try f.raw().run("UPDATE jobs SET crashes = 2 WHERE id = \(id)")
            let other = try await f.add(1, of: "local/b")
            let closed = CallPolicies.limiting(["local/a": CallLimits(concurrency: 0)])
            let round = try await f.round(closed)
            #expect(round.jobs.map(\.id) == other && !round.quarantinedWaits)
            let suspect = try await f.round(CallPolicies())
            #expect(suspect.jobs.map(\.id) == [id] && suspect.runsAlone)
        }
    }
}
