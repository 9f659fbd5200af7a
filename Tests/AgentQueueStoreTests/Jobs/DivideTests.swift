import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// A shared call that failed is made again in parts, under the same leases.
@Suite struct DivideTests {
    private func halves(_ jobs: [ClaimedJob]) -> [[ClaimedJob]] {
        let half = (jobs.count + 1) / 2
        return [Array(jobs[..<half]), Array(jobs[half...])]
    }

    private let policies = CallPolicies.limiting(["local": CallLimits(requestsPerMinute: 10, concurrency: 1)], worst: 0.5)

    private func running(_ f: Fixture, _ name: String = "local") throws -> Int? { try f.state(of: name)?.running }

    @Test func eachPartIsACall() async throws {
        try await withStore { f in
            let ids = try await f.addEmbeds(5)
            let jobs = try await f.sharing(1, policies).jobs
            let failed = f.parts(of: jobs, policies) { CallReport(target: $0.route, cost: 0.1, failure: .permanent) }
            let parts = try await f.store.claims.divide(failed, into: halves(jobs))
            #expect(parts.map { $0.map(\.id) } == [Array(ids[..<3]), Array(ids[3...])])
            #expect(parts.joined().map(\.lease) == jobs.map(\.lease))
            // The failed call is on record, each job's part of it; its jobs run on.
            #expect(try f.charges().map { $0[2] } == ["1", "0", "0", "0", "0"] && f.charges().allSatisfy { $0[0] == "failed" })
            #expect(try f.raw().rows("SELECT calls FROM lanes") == [["1"]])
            #expect(try f.states(ids).allSatisfy { $0 == .running })
            #expect(try f.job(ids[4]).errors.map(\.cost) == [0.1])
            // Two calls are set aside for, whatever the limit.
            #expect(try f.heldRequests() == ["1", "0", "0", "1", "0"])
            #expect(try running(f) == 2 && f.state(of: "local/e")?.running == 2)
            #expect(try f.state(of: "local")?.requests?.level == 7)
            #expect(try f.store.maintenance.check().faults == [])
            for part in parts { try await f.settleTogether(part, policies) { CallReport(target: $0.route, cost: 0.2) } }
            #expect(try running(f) == 0 && f.state(of: "local")?.reservedUSD == 0)
            #expect(abs((try f.state(of: "local")?.spentToday ?? 0) - 1.5) < 1e-9)
            #expect(try f.raw().rows("SELECT calls FROM lanes") == [["3"]])
            #expect(try f.charges().count == 10)
        }
    }

    @Test func againAndAgain() async throws {
        try await withStore { f in
            _ = try await f.addEmbeds(4)
            var jobs = try await f.sharing(1, policies).jobs
            while jobs.count > 1 {
                let failed = f.parts(of: jobs, policies) { .failed($0, .permanent) }
                let parts = try await f.store.claims.divide(failed, into: halves(jobs))
                try await f.settleTogether(parts[1], policies) { CallReport(target: $0.route) }
                jobs = parts[0]
            }
            #expect(try f.store.maintenance.check().faults == [])
            try await f.settle(jobs[0], .failed(jobs[0], .permanent), policies)
            #expect(try f.raw().rows("SELECT completed, discarded FROM lanes") == [["3", "1"]])
            #expect(try f.state(of: "local")?.requests?.level == 5 && running(f) == 0)
        }
    }

    @Test func whatIsNotLimitedIsNotSetAside() async throws {
        try await withStore { f in
            _ = try await f.addEmbeds(4)
            let jobs = try await f.sharing(1).jobs
            let parts = try await f.store.claims.divide(f.parts(of: jobs) { .failed($0, .permanent) }, into: halves(jobs))
            #expect(parts == halves(jobs))
            #expect(try f.count(of: "reservations") == 0 && f.charges() == [])
            for part in parts { try await f.settleTogether(part) { CallReport(target: $0.route) } }
        }
    }

    @Test func whoIsLostOrCancelledIsLeftOut() async throws {
        try await withStore { f in
            let ids = try await f.addEmbeds(4)
            let jobs = try await f.sharing(1, policies).jobs
            let heartbeat = try Heartbeat(f.store)
            defer { heartbeat.close() }
            f.clock.advance(59_000)
            #expect(try heartbeat.renew(jobs.dropFirst().map(\.lease), for: 60_000).isEmpty)
            f.clock.advance(2_000)
            #expect(try await f.store.maintenance.rescue() == 1)
            _ = try await f.store.jobs.cancel(ids: [ids[3]])
            let failed = f.parts(of: jobs, policies) { CallReport(target: $0.route, cost: 0.1, failure: .permanent) }
            let parts = try await f.store.claims.divide(failed, into: halves(jobs))
            #expect(parts.map { $0.map(\.id) } == [[ids[1]], [ids[2]]])
            #expect(try f.states(ids) == [.available, .running, .running, .running])
            // Their part of the call is not recorded yet.
            #expect(try f.charges().filter { $0[0] == "failed" }.count == 2)
            #expect(try await f.store.claims.settle([failed[0], failed[3]]) == [.fenced, .settled(.discarded)])
            #expect(try f.charges().map { $0[0] }.sorted() == ["failed", "failed", "failed", "fenced"])
            #expect(try f.raw().int("SELECT sum(calls) FROM charges") == 1)
            #expect(try f.heldRequests() == ["1", "1"])
            for part in parts { try await f.settleTogether(part, policies) { CallReport(target: $0.route) } }
            #expect(try running(f) == 0)
        }
    }

    /// A part that is given up before its call gives back what was set aside for it.
    @Test func aPartThatIsNotCalledForCostsNothing() async throws {
        try await withStore { f in
            let ids = try await f.addEmbeds(2)
            let jobs = try await f.sharing(1, policies).jobs
            let parts = try await f.store.claims.divide(f.parts(of: jobs, policies) { .failed($0, .retryable) }, into: halves(jobs))
            #expect(try f.state(of: "local")?.requests?.level == 7)
            try await f.settleTogether(parts[0], policies) { CallReport(target: $0.route) }
            _ = try await f.store.claims.settle(.handBack(parts[1][0], now: f.clock.wall))
            #expect(try f.state(of: "local")?.requests?.level == 8 && running(f) == 0)
            #expect(try f.states(ids) == [.completed, .available])
        }
    }

    /// A worker that dies while it divides: what it set aside is free.
    @Test func rescuedWhileDivided() async throws {
        try await withStore { f in
            let dead = try await f.store.claims.registerWorker()
            _ = try await f.addEmbeds(4)
            let jobs = try await f.sharing(1, policies, worker: dead.id).jobs
            _ = dead.calls?.begin(token: jobs[0].lease.token)
            _ = try await f.store.claims.divide(f.parts(of: jobs, policies) { .failed($0, .permanent) }, into: halves(jobs))
            f.store.locks.unlock(worker: dead.id)
            #expect(try await f.store.maintenance.rescue() == 4)
            #expect(try running(f) == 0 && f.state(of: "local")?.reservedUSD == 0)
            #expect(try f.count(of: "reservations") == 0)
            #expect(try f.raw().rows("SELECT DISTINCT attempt FROM jobs") == [["1"]])
        }
    }
}
