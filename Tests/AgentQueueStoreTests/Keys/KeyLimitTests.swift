import AgentQueueModel
import Testing

@testable import AgentQueueStore

@Suite struct KeyLimitTests {
    private static let day: Int64 = 86_400_000

    private func key(_ f: Fixture, _ name: String = "ci", _ configure: (inout KeyLimits) -> Void) async throws -> APIKey {
        var new = NewAPIKey(name: name)
        configure(&new.limits)
        return try await f.store.keys.create(new, secret: [1], by: "me")
    }

    private func add(_ count: Int, _ f: Fixture, queue: String = "api.ci") async throws -> [Int64] {
        try await f.add(count) { $0.queue = queue }
    }

    private static func expecting(tokens: Int = 0, worst: Double = 0) -> CallPolicies { .limiting([:], tokens: tokens, worst: worst) }

    @Test func limitsAreReadAsTheyWereSet() async throws {
        try await withStore { f in
            let made = try await key(f) {
                $0.requestsPerMinute = 60
                $0.usdTotal = 2.5
            }
            #expect(made.limits.requestsPerMinute == 60 && made.limits.usdTotal == 2.5 && made.limits.tokensPerMinute == nil)
            var other = KeyLimits()
            other.concurrency = 3
            #expect(try await f.store.keys.setLimits(other, of: "ci", by: "me")?.limits == other)
            #expect(try f.store.keys.find(named: "ci")?.limits == other)
            #expect(try await f.store.keys.setLimits(other, of: "nobody", by: "me") == nil)
        }
    }

    @Test func noBurstPassesTheCallsOfAMinute() async throws {
        try await withStore { f in
            _ = try await key(f) { $0.requestsPerMinute = 2 }
            let limited = try await add(5, f)
            let free = try await add(3, f, queue: "api.other")
            let round = try await f.round(Self.expecting())
            #expect(Set(round.jobs.map(\.id)) == Set(limited.prefix(2) + free))
            #expect(round.nextOpening == f.clock.wall + 30_000)
            f.clock.advance(30_000)
            #expect(try await f.claim(Self.expecting()).map(\.id) == [limited[2]])
            let use = try #require(try f.store.keys.use(of: 1))
            #expect(use.requests?.limit == 2 && use.requests?.remaining == 0 && use.running == 3)
        }
    }

    @Test func onlySoManyCallsAreUnderWayAtOnce() async throws {
        try await withStore { f in
            _ = try await key(f) { $0.concurrency = 1 }
            _ = try await add(3, f)
            let first = try await f.claim(Self.expecting())
            #expect(first.count == 1 && first.first?.keyID == 1)
            #expect(try await f.claim(Self.expecting()).isEmpty)
            // The end of the call wakes the workers.
            #expect(try await f.rings { try await f.answer(first[0]) })
            #expect(try await f.claim(Self.expecting()).count == 1)
        }
    }

    @Test func tokensAreReservedAndCorrected() async throws {
        try await withStore { f in
            _ = try await key(f) { $0.tokensPerMinute = 100 }
            _ = try await add(4, f)
            let first = try await f.claim(Self.expecting(tokens: 60))
            #expect(first.count == 1)
            #expect(try await f.claim(Self.expecting(tokens: 60)).isEmpty)
            try await f.answer(first[0], tokens: 10)
            #expect(try f.store.keys.use(of: 1)?.tokens?.remaining == 90)
            #expect(try await f.claim(Self.expecting(tokens: 60)).count == 1)
        }
    }

    @Test func aDaysBudgetIsReservedBeforeItIsSpent() async throws {
        try await withStore { f in
            _ = try await key(f) { $0.usdPerDay = 1 }
            _ = try await add(9, f)
            let policies = Self.expecting(worst: 0.4)
            let jobs = try await f.claim(policies)
            #expect(jobs.count == 2)
            #expect(try f.store.keys.use(of: 1)?.reserved == 0.8)
            #expect(try await f.rings { try await f.answer(jobs[0], cost: 0.1) })
            #expect(try await f.claim(policies).count == 1)
            try await f.answer(jobs[1], cost: 0.4)
            #expect(try f.store.keys.use(of: 1)?.spentToday == 0.5)
            // Its calls count for their provider too.
            #expect(try f.state(of: "local")?.spentToday == 0.5)
            #expect(try f.store.providers.states().allSatisfy { !$0.name.hasPrefix("key:") })
        }
    }

    @Test func theWholeBudgetOutlastsTheDay() async throws {
        try await withStore { f in
            _ = try await key(f) { $0.usdTotal = 1 }
            let ids = try await add(3, f)
            let policies = Self.expecting(worst: 0.6)
            let first = try await f.claim(policies)
            #expect(first.map(\.id) == [ids[0]])
            #expect(try await f.claim(policies).isEmpty)
            try await f.answer(first[0], cost: 0.5)
            f.clock.advance(2 * Self.day)
            #expect(try await f.claim(policies).isEmpty)
            #expect(try f.states(Array(ids.dropFirst())) == [.discarded, .discarded])
            #expect(
                try f.job(ids[1]).errors.first?.message
                    == "the call may cost $0.60, and of the $1.00 that 'key:ci' may cost in all (usd_total) $0.50 is spent")
            let use = try #require(try f.store.keys.use(of: 1))
            #expect(use.spent == 0.5 && use.spentToday == 0)
            #expect(use.refusal(of: .asking("x"), Self.expecting(worst: 0.5), name: "ci") == nil)
            guard case .spent = use.refusal(of: .asking("x"), Self.expecting(worst: 0.6), name: "ci") else {
                Issue.record("a call that the budget cannot pay for")
                return
            }
        }
    }

    @Test func aBudgetPaysForNothingWithoutAPrice() async throws {
        try await withStore { f in
            _ = try await key(f) { $0.usdTotal = 1 }
            let ids = try await add(1, f)
            let unpriced = CallPolicies { _, _, _ in
                var estimate = CallEstimate()
                (estimate.isPriced, estimate.canBeLimited) = (false, false)
                return estimate
            }
            #expect(try f.store.keys.use(of: 1)?.refusal(of: .asking("x"), unpriced, name: "ci") == .unpriced)
            #expect(try await f.claim(unpriced).isEmpty)
            #expect(try f.states(ids) == [.discarded])
        }
    }

    @Test func aLostCallIsChargedAndGivenBack() async throws {
        try await withStore { f in
            _ = try await key(f) { $0.usdPerDay = 1 }
            _ = try await add(1, f)
            let policies = Self.expecting(worst: 0.4)
            let dead = try f.deadWorker(bootID: "another boot")
            #expect(try await f.claim(policies, worker: dead).count == 1)
            _ = try await f.store.maintenance.rescue()
            let use = try #require(try f.store.keys.use(of: 1))
            #expect(use.running == 0 && use.reserved == 0 && use.spentToday == 0.4)
            #expect(try f.store.maintenance.check().faults == [])
        }
    }

    @Test func aClockThatGoesBackForgetsNoBudget() async throws {
        try await withStore { f in
            _ = try await key(f) { $0.usdPerDay = 1 }
            _ = try await add(2, f)
            let policies = Self.expecting(worst: 0.6)
            let job = try #require(try await f.claim(policies).first)
            try await f.answer(job, cost: 0.6)
            f.clock.wall -= 2 * Self.day
            _ = try await f.store.maintenance.mendTimes()
            #expect(try f.store.keys.use(of: 1)?.spentToday == 0.6)
            #expect(try await f.claim(policies).isEmpty)
        }
    }

    @Test func limitsGoAndComeWhileJobsWait() async throws {
        try await withStore { f in
            _ = try await key(f) { $0.concurrency = 1 }
            _ = try await add(3, f)
            #expect(try await f.claim(Self.expecting()).count == 1)
            #expect(try await f.rings { _ = try await f.store.keys.setLimits(KeyLimits(), of: "ci", by: "me") })
            let rest = try await f.claim(Self.expecting())
            #expect(rest.count == 2 && rest.allSatisfy { $0.keyID == nil && !$0.isReserved })
        }
    }

    @Test func keysThatShareAQueueHaveNoLimits() async throws {
        try await withStore { f in
            var shared = NewAPIKey(name: "a")
            shared.queue = "api.ci"
            _ = try await f.store.keys.create(shared, secret: [1], by: "me")
            let error = await storeError { _ = try await key(f) { $0.concurrency = 1 } }
            #expect(error?.kind == .conflict)
            #expect(try f.store.keys.find(named: "ci") == nil)
        }
    }
}
