import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// A request that is added and claimed at once.
@Suite struct DirectClaimTests {
    private func request(_ f: Fixture, slots: Int = 10, _ policies: CallPolicies = CallPolicies()) -> ClaimRequest {
        ClaimRequest(worker: f.worker, queues: nil, providers: ["local"], slots: slots, lease: 60_000, isIdle: true, policies: policies)
    }

    /// Everything that a claim may change.
    private func rows(_ f: Fixture) throws -> [String: [[String]]] {
        var rows: [String: [[String]]] = [:]
        for table in [
            "jobs", "requests", "lanes", "queues", "reservations", "counters", "resources", "gateway_calls", "followers", "streams",
        ] {
            rows[table] = try f.raw().rows("SELECT * FROM \(table) ORDER BY 1")
        }
        return rows
    }

    private static let policies: [CallPolicies] = [
        CallPolicies(), .limiting(["local/m": CallLimits(requestsPerMinute: 5, concurrency: 2)]),
        .limiting(["local": CallLimits(tokensPerMinute: 1_000, usdPerDay: 2)], tokens: 10, worst: 0.5),
    ]

    @Test(arguments: policies.indices, [1, 3])
    func bothWaysLeaveTheSame(_ policy: Int, samples: Int) async throws {
        let policies = Self.policies[policy]
        try await withStore { direct in
            try await withStore { ordinary in
                var seen: [[ClaimedJob]] = []
                for f in [direct, ordinary] {
                    let submission = f.submission("hello", samples: samples) {
                        $0.useCache = true
                        $0.isStreamed = true
                    }
                    if f === direct {
                        let (ticket, claimed) = try await f.store.gateway.submit(submission, claiming: request(f, policies))
                        #expect(!claimed.isEmpty)
                        #expect(ticket.jobs.prefix(claimed.count).allSatisfy { $0.state == .running })
                        var jobs = claimed
                        if jobs.count < samples {
                            jobs += try await f.store.claims.claim(request(f, slots: 10 - jobs.count, policies)).jobs
                        }
                        seen.append(jobs)
                    } else {
                        _ = try await f.store.gateway.submit(submission)
                        seen.append(try await f.store.claims.claim(request(f, policies)).jobs)
                    }
                }
                let isOneClaim = Set(seen[0].map(\.lease.token)).count == Set(seen[1].map(\.lease.token)).count
                if isOneClaim {
                    #expect(seen[0] == seen[1])
                    #expect(try rows(direct) == rows(ordinary))
                } else {
                    #expect(seen[0].map(\.id) == seen[1].map(\.id))
                }
                for f in [direct, ordinary] { for job in seen[f === direct ? 0 : 1] { _ = try await f.complete(job) } }
            }
        }
    }

    @Test func aFencedSettlementIsRefusedAsEver() async throws {
        try await withStore { f in
            let claimed = try await f.store.gateway.submit(f.submission("hello"), claiming: request(f)).claimed
            var stale = try #require(claimed.first)
            stale.lease = Lease(jobID: stale.id, token: stale.lease.token - 1)
            #expect(try await f.complete(stale) == .fenced)
            #expect(try await f.complete(claimed[0]) == .settled(.completed))
        }
    }

    @Test func aJobWaitsItsTurn() async throws {
        try await withStore { f in
            let first = try await f.submit("waits")
            let second = try await f.store.gateway.submit(f.submission("hello"), claiming: request(f))
            #expect(second.claimed.isEmpty && second.ticket.jobs[0].state == .available)
            #expect(try await f.claim().map(\.id) == [first.call, second.ticket.call])
        }
    }

    @Test func nothingIsClaimedWhereNoCallMayBegin() async throws {
        try await withStore { f in
            #expect(try await f.store.gateway.submit(f.submission("no slot"), claiming: request(f, slots: 0)).claimed.isEmpty)
            for job in try await f.claim() { _ = try await f.complete(job) }
            let other = f.submission("elsewhere") { $0.target = .named("elsewhere/m") }
            #expect(try await f.store.gateway.submit(other, claiming: request(f)).claimed.isEmpty)
            let scheduled = f.submission("later") { $0.scheduledAt = f.clock.wall + 1 }
            #expect(try await f.store.gateway.submit(scheduled, claiming: request(f)).claimed.isEmpty)
            let policies = CallPolicies.limiting(["local/m": CallLimits(concurrency: 1)])
            #expect(try await f.store.gateway.submit(f.submission("a"), claiming: request(f, policies)).claimed.count == 1)
            #expect(try await f.store.gateway.submit(f.submission("b"), claiming: request(f, policies)).claimed.isEmpty)
            try await f.store.jobs.pause(queue: "paused")
            let paused = f.submission("c") { $0.queue = "paused" }
            #expect(try await f.store.gateway.submit(paused, claiming: request(f)).claimed.isEmpty)
        }
    }

    @Test func anAttachedRequestClaimsNothing() async throws {
        try await withStore { f in
            let first = try await f.submit("hello")
            var again = f.submission("hello")
            again.isRetry = true
            let (ticket, claimed) = try await f.store.gateway.submit(again, claiming: request(f))
            #expect(ticket.call == first.call && ticket.attached == .retry && claimed.isEmpty)
        }
    }

    @Test func anIdenticalCallUnderWayIsFollowed() async throws {
        try await withStore { f in
            let shared = f.submission("hello") { $0.useCache = true }
            let first = try await f.store.gateway.submit(shared, claiming: request(f))
            let second = try await f.store.gateway.submit(shared, claiming: request(f))
            #expect(first.claimed.count == 1 && second.claimed.isEmpty && second.ticket.jobs[0].state == .pending)
            _ = try await f.complete(first.claimed[0])
            _ = try await f.store.maintenance.cascade()
            #expect(try f.state(second.ticket.call) == .completed)
        }
    }

    /// The process dies before the call begins, as at any point between the COMMIT and the call.
    @Test func aJobThatWasClaimedByAProcessThatDiedIsTakenBack() async throws {
        try await withStore { f in
            var request = request(f)
            request.worker = try f.deadWorker()
            let claimed = try await f.store.gateway.submit(f.submission("hello", server: request.worker), claiming: request).claimed
            #expect(try await f.store.maintenance.rescue() == 1)
            #expect(try f.state(claimed[0].id) == .available)
            // Its client comes back.
            #expect(try await f.submit("hello").attached == .lost)
        }
    }
}
