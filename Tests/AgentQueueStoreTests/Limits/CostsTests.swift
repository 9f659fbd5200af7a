import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// What calls cost: what is known of it, and what is not.
@Suite struct CostsTests {
    private static let hour: Int64 = 3_600_000

    private func settle(_ f: Fixture, _ job: ClaimedJob, _ cost: Double?, tokens: Int = 10, failure: FailureClass? = nil) async throws {
        let report = CallReport(target: job.route, usage: Usage(inputTokens: tokens, outputTokens: 1), cost: cost, failure: failure)
        var request = SettleRequest.call(job, report, now: f.clock.wall)
        request.result?.cost = cost
        request.result?.usage = report.usage
        _ = try await f.store.claims.settle(request)
    }

    @Test func anUnknownPriceIsNotNothing() async throws {
        try await withStore { f in
            _ = try await f.add(3) { $0.batch = "b" }
            let jobs = try await f.claim(CallPolicies())
            try await settle(f, jobs[0], nil)
            try await settle(f, jobs[1], 0)
            try await settle(f, jobs[2], nil, failure: .permanent)
            #expect(try f.job(jobs[0].id).result?.cost == nil && f.job(jobs[1].id).result?.cost == 0)
            #expect(try f.job(jobs[2].id).errors.map(\.cost) == [nil])
            let lane = try #require(try f.store.jobs.lanes().first)
            #expect(lane.calls == 3 && lane.unpricedCalls == 2 && lane.cost == 0)
            #expect(try f.raw().rows("SELECT unpriced_calls, spent_usd FROM batches") == [["2", "0.0"]])
            #expect(try f.store.maintenance.check().faults == [])
        }
    }

    @Test func aCachedAnswerOfUnknownPriceSavesAnUnknownAmount() async throws {
        try await withStore { f in
            let (ids, twin) = (try await f.add(1), NewJob.asking("0 0"))
            let job = try #require(try await f.claim(CallPolicies()).first)
            var request = SettleRequest.answer(job)
            request.result?.cost = nil
            request.cache = CacheWrite(digest: job.digest, timeToLive: 1_000_000)
            _ = try await f.store.claims.settle(request)
            #expect(try f.store.cache.reply(job.digest)?.cost == nil)
            let second = try await f.store.jobs.enqueue(twin)
            #expect(try f.job(second.id).result?.cost == 0 && f.job(second.id).state == .completed && ids.count == 1)
            #expect(try f.store.cache.statistics().saved == nil)
        }
    }

    @Test func hoursAddUpToWhatTheLanesHold() async throws {
        try await withStore { f in
            f.clock.wall = 1_000 * Self.hour
            _ = try await f.add(4) { $0.batch = "b" }
            _ = try await f.add(1, of: "other/m") { $0.tags = ["t", "u"] }
            let jobs = try await f.claim(CallPolicies())
            try await settle(f, jobs[0], 0.25)
            try await settle(f, jobs[1], 0.5, failure: .permanent)
            f.clock.advance(Self.hour)
            try await settle(f, jobs[2], nil)
            f.clock.advance(24 * Self.hour)
            try await settle(f, jobs[3], 1)
            try await settle(f, jobs[4], 2, tokens: 100)
            let costs = f.store.maintenance
            func known(_ grouping: CostGrouping, since: Int64? = nil, until: Int64? = nil) throws -> [Double] {
                try costs.costs(by: grouping, since: since, until: until).map(\.known)
            }
            #expect(try known(.hour) == [0.75, 0, 3] && known(.day) == [0.75, 3])
            #expect(try costs.costs(by: .hour)[1].cost == nil && costs.costs(by: .hour)[1].unpricedCalls == 1)
            #expect(try costs.costs(by: .model).map(\.key) == [.name("other/m"), .name("local/m")])
            #expect(try known(.queue) == [3.75] && known(.batch) == [1.75] && known(.tag) == [2, 2] && known(.run) == [])
            #expect(try costs.costs(by: .batch).first?.unpricedCalls == 1)
            #expect(try known(.hour, since: 1_001 * Self.hour + 5, until: 1_001 * Self.hour + 6) == [0])
            #expect(try known(.batch, since: 1_001 * Self.hour) == [1])
            let lanes = try f.store.jobs.lanes()
            let days = try costs.costs(by: .day)
            #expect(lanes.reduce(0) { $0 + $1.cost } == days.reduce(0) { $0 + $1.known })
            #expect(lanes.reduce(0) { $0 + $1.calls } == days.reduce(0) { $0 + $1.calls })
            #expect(lanes.reduce(Usage()) { $0 + $1.usage } == days.reduce(Usage()) { $0 + $1.usage })
            // By batch and tag they go with their jobs, by day they stay.
            _ = try await f.store.jobs.delete(ids: jobs.map(\.id))
            #expect(try known(.batch) == [] && known(.tag) == [] && known(.day) == [0.75, 3])
        }
    }

    @Test func costsByKeyAreThoseOfItsQueuesWhateverBecomesOfTheKey() async throws {
        try await withStore { f in
            let costs = f.store.maintenance
            for (name, queue) in [("a", "api.a"), ("b", "shared"), ("c", "shared")] {
                var key = NewAPIKey(name: name)
                key.queue = queue
                _ = try await f.store.keys.create(key, secret: [1], by: "me")
            }
            for queue in ["api.a", "api.a.batch", "shared", "default", "api.gone"] {
                _ = try await f.add(1) { $0.queue = queue }
                try await settle(f, try await f.one(), 1)
            }
            _ = try await f.store.keys.revoke("a", by: "me")
            let rows = try costs.costs(by: .key)
            #expect(rows.map(\.key) == [.name("a"), .name("b, c"), .name("gone")])
            #expect(rows.map(\.known) == [2, 1, 1] && rows.map(\.calls) == [2, 1, 1])
            #expect(try costs.costs(by: .key, since: f.clock.wall + 2 * Self.hour).isEmpty)
        }
    }

    @Test(arguments: [(true, 3.0), (false, 0)])
    func theCallOfADeadWorkerMayHaveCostWhatItWasExpectedTo(_ isPriced: Bool, _ cost: Double) async throws {
        try await withStore { f in
            var estimate = CallEstimate(worstCost: cost)
            estimate.isPriced = isPriced
            let policies = CallPolicies(estimate: { [estimate] _, _, _ in estimate })
            _ = try await f.add(1) { $0.batch = "b" }
            let job = try #require(try await f.claim(policies, 1, worker: try f.deadWorker(bootID: "an earlier boot")).first)
            #expect(try f.raw().rows("SELECT * FROM reservations") == [], "no limit, no reservation")
            _ = try await f.store.maintenance.rescue(policies: policies)
            #expect(try f.charges() == [["doubtful", "local/m", "1", "\(cost)"]])
            #expect(try f.store.providers.doubtfulCalls(limit: 1).first?.cost == (isPriced ? cost : nil))
            let statistics = try f.store.maintenance.statistics()
            #expect(statistics.maybePaidCalls == 1 && statistics.maybePaid == (isPriced ? cost : nil))
            #expect(try f.job(job.id).errors.map(\.cost) == [isPriced ? cost : nil])
            #expect(try f.raw().rows("SELECT unpriced_calls FROM batches") == [[isPriced ? "0" : "1"]])
            try await f.answer(job, cost: 0.5)
            #expect(try f.raw().rows("SELECT unpriced_calls, spent_usd FROM batches") == [["0", "0.5"]])
        }
    }

    @Test func aCallThatCannotBePricedIsNotMadeUnderALimitOfMoney() async throws {
        try await withStore { f in
            var estimate = CallEstimate()
            (estimate.isPriced, estimate.canBeLimited) = (false, false)
            let policies = CallPolicies(limits: ["local": CallLimits(usdPerDay: 1)], estimate: { [estimate] _, _, _ in estimate })
            let limited = try await f.add(1)[0]
            #expect(try await f.claim(policies).isEmpty)
            #expect(try f.state(limited) == .discarded && f.job(limited).errors.first?.message.contains("price is unknown") == true)
            let budgeted = try await f.add(1) { $0.budget = 1 }[0]
            let unlimited = CallPolicies(estimate: { [estimate] _, _, _ in estimate })
            let claimed = try await f.claim(unlimited)
            #expect(claimed.isEmpty)
            #expect(try f.job(budgeted).errors.first?.message.contains("set models.local/m.price") == true)
        }
    }
}
