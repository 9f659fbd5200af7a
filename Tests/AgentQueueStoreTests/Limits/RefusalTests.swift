import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// What refusals for a rate do to a target, and what is learned from them.
@Suite struct RefusalTests {
    @Test func aRefusalParksUntilItsTime() async throws {
        try await withStore { f in
            _ = try await f.add(10)
            let job = try #require(try await f.claim(CallPolicies(), 1).first)
            try await f.settle(job, .failed(job, .rateLimited, retryAfter: 18_000_000, scope: .provider))
            let until = f.clock.wall + 18_000_000
            let state = try #require(try f.state(of: "local"))
            #expect(state.pausedUntil == until && state.pauseClass == .rateLimited && state.pauseReason == "it failed" && state.isOnTrial)
            let round = try await f.round(CallPolicies())
            #expect(round.jobs.isEmpty && round.nextOpening == until)
            f.clock.wall = until - 1
            #expect(try await f.claim(CallPolicies()).isEmpty)
            f.clock.wall = until
            // One call at a time, until one succeeds.
            let trial = try await f.claim(CallPolicies())
            #expect(trial.count == 1)
            #expect(try await f.claim(CallPolicies()).isEmpty)
            #expect(try await f.rings { try await f.settle(trial[0], .failed(trial[0], .retryable)) })
            let second = try await f.claim(CallPolicies())
            #expect(second.count == 1)
            #expect(try await f.rings { try await f.answer(second[0]) })
            #expect(try f.state(of: "local")?.isOnTrial == false && f.state(of: "local")?.pauseClass == nil)
        }
    }

    /// No clock runs over, whatever a provider says.
    @Test(arguments: [FailureClass.rateLimited, .overloaded, .quotaExhausted])
    func aWaitWithoutEnd(_ failure: FailureClass) async throws {
        try await withStore { f in
            _ = try await f.add(2)
            let job = try #require(try await f.claim(CallPolicies(), 1).first)
            var request = SettleRequest.call(job, .failed(job, failure), now: f.clock.wall)
            request.call?.retryAfter = .max
            _ = try await f.store.claims.settle(request)
            #expect(try f.state(of: "local/m")?.pausedUntil == f.clock.wall + 366 * 86_400_000)
        }
    }

    @Test func aRefusalConcernsItsTargetAlone() async throws {
        try await withStore { f in
            _ = try await f.add(2, of: "local/a")
            let job = try #require(try await f.claim(CallPolicies(), 1).first)
            try await f.settle(job, .failed(job, .rateLimited, retryAfter: 100_000))
            _ = try await f.add(3, of: "local/b")
            #expect(try await f.claim(CallPolicies()).map(\.target.model) == ["b", "b", "b"])
        }
    }

    @Test func refusalsWithoutATimeWaitTwiceAsLongEach() async throws {
        try await withStore { f in
            _ = try await f.add(30)
            for _ in 0..<4 {
                let job = try #require(try await f.claim(CallPolicies(), 1).first)
                try await f.settle(job, .failed(job, .rateLimited))
                #expect(try f.state(of: "local/m")?.pausedUntil == nil)
            }
            for wait in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] as [Int64] {
                let job = try #require(try await f.claim(CallPolicies(), 1).first)
                try await f.settle(job, .failed(job, .rateLimited))
                #expect(try f.state(of: "local/m")?.pausedUntil == f.clock.wall + wait)
                f.clock.advance(wait)
            }
            let job = try #require(try await f.claim(CallPolicies(), 1).first)
            try await f.answer(job)
            f.clock.advance(60_000)
            let next = try #require(try await f.claim(CallPolicies(), 1).first)
            try await f.settle(next, .failed(next, .rateLimited))
            #expect(try f.state(of: "local/m")?.pausedUntil == f.clock.wall + 1_000)
        }
    }

    /// Fifty calls that are refused together are one refusal.
    @Test func refusalsOfOneTimeAreOne() async throws {
        try await withStore { f in
            _ = try await f.add(60)
            let jobs = try await f.claim(CallPolicies(), 50)
            for job in jobs { try await f.settle(job, .failed(job, .rateLimited)) }
            #expect(try f.state(of: "local/m")?.pausedUntil == f.clock.wall + 1_000)
            #expect(try f.state(of: "local/m")?.isOnTrial == false, "it goes on at the rate that was learned")
            // One that names a later time is heeded.
            f.clock.advance(1_000)
            let next = try #require(try await f.claim(CallPolicies()).first)
            try await f.settle(next, .failed(next, .rateLimited, retryAfter: 5_000))
            #expect(try f.state(of: "local/m")?.pausedUntil == f.clock.wall + 5_000)
        }
    }

    /// The others go on at once, and nothing is left of it.
    @Test func aStrayRefusalHoldsBackItsOwnJobAlone() async throws {
        try await withStore { f in
            _ = try await f.add(60)
            for job in try await f.claim(CallPolicies(), 30).prefix(29) { try await f.answer(job) }
            let job = try #require(try await f.claim(CallPolicies(), 1).first)
            try await f.settle(job, .failed(job, .rateLimited, retryAfter: 1_000))
            let state = try #require(try f.state(of: "local/m"))
            #expect(state.pausedUntil == nil && state.requests == nil && !state.isOnTrial)
            #expect(try await f.claim(CallPolicies()).count == 29)
            f.clock.advance(61_000)
            _ = try await f.add(1)
            _ = try await f.claim(CallPolicies())
            #expect(try f.raw().int("SELECT count(*) FROM resources WHERE congestion IS NOT NULL") == 0)
        }
    }

    /// Every twentieth call is refused, whatever its rate.
    @Test func refusalsThatDoNotDependOnTheRateTeachNone() async throws {
        try await withStore { f in
            _ = try await f.add(1_200)
            for number in 0..<1_000 {
                let job = try #require(try await f.claim(CallPolicies(), 1).first)
                if number % 20 == 7 {
                    try await f.settle(job, .failed(job, .rateLimited, retryAfter: 1_000))
                } else {
                    try await f.answer(job)
                }
                // Ten in a second, or as soon as a test of a lower rate admits one.
                f.clock.advance(100)
                while case .closed = try await f.store.write({ try $0.gate(.named("local/m"), CallPolicies(), estimate: nil) }) {
                    f.clock.advance(10)
                }
            }
            #expect(try f.state(of: "local/m")?.requests == nil && f.state(of: "local/m")?.pausedUntil == nil)
        }
    }

    /// Schema 7 wrote limits that it had inferred, and that grew by 2 % a minute.
    @Test func aLimitInferredByAnOlderVersionIsDropped() async throws {
        try await withStore { f in
            _ = try await f.add(3)
            let job = try #require(try await f.claim(CallPolicies(), 1).first)
            try await f.settle(job, .failed(job, .timedOut))
            try f.raw().run("UPDATE resources SET requests = '57.0 -3.5 \(f.clock.wall) 0 inferred' WHERE name = 'local/m'")
            #expect(try f.state(of: "local/m")?.requests == nil)
            #expect(try await f.claim(CallPolicies()).count == 2)
        }
    }

    /// An answer to a call from before the pause says nothing about the time after it.
    @Test func anOldAnswerEndsNoTrial() async throws {
        try await withStore { f in
            _ = try await f.add(10)
            let jobs = try await f.claim(CallPolicies(), 3)
            try await f.settle(jobs[0], .failed(jobs[0], .rateLimited, retryAfter: 120_000))
            try await f.answer(jobs[1])
            #expect(try f.state(of: "local/m")?.isOnTrial == true)
            f.clock.advance(120_000)
            #expect(try await f.claim(CallPolicies()).count == 1)
            try await f.answer(jobs[2])
            #expect(try await f.claim(CallPolicies()).isEmpty)
        }
    }

    @Test func aLimitIsInferredFromRefusals() async throws {
        try await withStore { f in
            _ = try await f.add(90)
            for _ in 0..<40 { try await f.answer(#require(try await f.claim(CallPolicies(), 1).first)) }
            for job in try await f.claim(CallPolicies(), 5) {
                try await f.settle(job, .failed(job, .rateLimited, retryAfter: 2_000))
            }
            func requests() throws -> ProviderState.Level? { try f.state(of: "local/m")?.requests }
            // Calls that have not ended count among those that were taken.
            #expect(try requests().map { (38...43).contains($0.capacity) && $0.isLearnt } == true)
            #expect(try f.state(of: "local/m")?.pausedUntil == f.clock.wall + 2_000)
            #expect(try await f.claim(CallPolicies(), 9).isEmpty)
            f.clock.advance(2_000)
            // No trial: one call, and the next when the rate admits it.
            let round = try await f.round(CallPolicies(), 9)
            let opening = try #require(round.nextOpening)
            #expect(round.jobs.count == 1 && (1_300...1_600).contains(opening - f.clock.wall))
            try await f.answer(round.jobs[0])
            // Slow start: the rate grows while nothing is refused.
            f.clock.advance(6_000)
            for job in try await f.claim(CallPolicies(), 9) { try await f.answer(job) }
            #expect(try requests().map { $0.capacity > 70 } == true)
            // Another process knows it too.
            let other = try f.another()
            defer { other.close() }
            #expect(try await f.claim(CallPolicies(), by: other).count <= 1)
            #expect(try await f.store.providers.resume(provider: "local"))
            #expect(try requests() == nil)
            #expect(try await f.claim(CallPolicies(), 9).count == 9)
        }
    }

    /// It applies where it is tighter than the configured one, which comes back when it is forgotten.
    @Test func aLearnedLimitTightensAConfiguredOne() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local/m": CallLimits(requestsPerMinute: 500)])
            _ = try await f.add(90)
            for job in try await f.claim(policies, 40) { try await f.answer(job, policies) }
            for job in try await f.claim(policies, 6) {
                try await f.settle(job, .failed(job, .rateLimited, retryAfter: 2_000), policies)
            }
            f.clock.advance(2_000)
            #expect(try await f.claim(policies).count == 1)
            #expect(try f.state(of: "local/m")?.requests?.isLearnt == true)
            f.clock.advance(700_000)
            _ = try await f.claim(policies, 1)
            #expect(try f.state(of: "local/m")?.requests?.capacity == 500)
            #expect(try f.state(of: "local/m")?.requests?.isLearnt == false)
        }
    }

    /// A server with announced limits that says "at once", or names a time that is always too short.
    @Test(
        arguments: [(0, [1_000, 2_000, 4_000, 8_000]), (-3, [1_000, 2_000, 4_000]), (10, [10, 1_000, 2_000, 4_000])] as [(Int64, [Int64])])
    func announcedLimitsBackOffToo(_ retryAfter: Int64, _ waits: [Int64]) async throws {
        try await withStore { f in
            _ = try await f.add(10)
            for wait in waits {
                let job = try #require(try await f.claim(CallPolicies(), 1).first)
                var request = SettleRequest.call(job, .failed(job, .rateLimited, retryAfter: retryAfter), now: f.clock.wall)
                request.call?.limits = ObservedLimits(requests: ObservedLimits.Window(limit: 1_000, remaining: 900, resetAfter: nil))
                _ = try await f.store.claims.settle(request)
                if wait == waits[0] {
                    // The limit was not known before the first answer.
                    f.clock.advance(60_000)
                    let second = try #require(try await f.claim(CallPolicies(), 1).first)
                    try await f.settle(second, .failed(second, .rateLimited, retryAfter: retryAfter))
                }
                #expect(try f.state(of: "local/m")?.pausedUntil == f.clock.wall + wait)
                f.clock.advance(wait)
            }
        }
    }

    @Test(arguments: [(4_000, true), (nil, false), (0, true)] as [(Int64?, Bool)])
    func anOverloadParksWhereItNamesATime(_ retryAfter: Int64?, _ parks: Bool) async throws {
        try await withStore { f in
            _ = try await f.add(3)
            let job = try #require(try await f.claim(CallPolicies(), 1).first)
            try await f.settle(job, .failed(job, .overloaded, retryAfter: retryAfter))
            #expect(try await f.claim(CallPolicies()).isEmpty == parks)
            #expect(try f.state(of: "local/m")?.pauseClass == (parks ? .overloaded : nil))
        }
    }
}
