import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// What monitoring is told.
@Suite struct QueueFiguresTests {
    private static let hour: Int64 = 3_600_000

    private func ended(_ f: Fixture, _ state: JobState) throws -> Int {
        var totals = CallTotals()
        return try f.store.maintenance.figures(&totals).ended.filter { $0.state == state }.reduce(0) { $0 + $1.count }
    }

    @Test func whatHasEndedStaysCountedWhenItIsRetriedOrDeleted() async throws {
        try await withStore { f in
            let job = try await f.running { $0.maxAttempts = 1 }
            try await f.fail(job, .permanent)
            #expect(try ended(f, .discarded) == 1)
            _ = try await f.store.jobs.retry(ids: [job.id])
            #expect(try ended(f, .discarded) == 1 && ended(f, .completed) == 0)
            _ = try await f.complete(try await f.one())
            f.clock.advance(1_000)
            _ = try await f.store.maintenance.prune(PrunePolicy(completed: 1, cancelled: 1, discarded: 1, maxCacheBytes: .max))
            #expect(try f.count(of: "jobs") == 0)
            #expect(try ended(f, .discarded) == 1 && ended(f, .completed) == 1)
        }
    }

    @Test func callsAreCountedByWhatWasCalledAndHowTheyEnded() async throws {
        try await withStore { f in
            let target = try #require(Target("local/m"))
            try await f.settle(try await f.running(), CallReport(target: target, cost: 0.25))
            try await f.settle(try await f.running(), CallReport(target: target, calls: 0, failure: .permanent))
            try await f.settle(try await f.running(), CallReport(target: target, cost: 0.5, failure: .permanent))
            // Nothing was sent.
            try await f.settle(try await f.running(), CallReport(target: target, calls: 0, failure: .permanent, wasSent: false))
            var totals = CallTotals()
            let calls = try f.store.maintenance.figures(&totals).calls
            #expect(calls.map(\.target) == ["local/m"])
            #expect(calls.first?.failed == 2 && calls.first?.fallbacks == 0 && calls.first?.cost == 0.75)
            #expect(calls.first?.answered == 1 && calls.first?.usage == Usage(inputTokens: 10, outputTokens: 3))
        }
    }

    @Test func aReadingGoesOnFromTheOneBeforeAndAClockSetBackBeginsItAnew() async throws {
        try await withStore { f in
            var totals = CallTotals()
            func answered(_ totals: inout CallTotals) throws -> Int {
                try f.store.maintenance.figures(&totals).calls.reduce(0) { $0 + $1.answered }
            }
            for count in 1...4 {
                _ = try await f.complete(try await f.running())
                let known = try answered(&totals)
                #expect(known == count)
                f.clock.advance(Self.hour)
            }
            // What was read once is not read again: it could be gone.
            try f.raw().run("DELETE FROM usage_hours WHERE hour < \(f.clock.wall / Self.hour - 2)")
            let again = try answered(&totals)
            #expect(again == 4)
            f.clock.wall -= 3 * Self.hour
            var anew = CallTotals()
            let (back, whole) = (try answered(&totals), try answered(&anew))
            #expect(back == whole && whole == 2)
        }
    }

    @Test func commitsOfChangesAreTimed() async throws {
        try await withStore { f in
            var totals = CallTotals()
            let before = try f.store.maintenance.figures(&totals).commits.count
            f.clock.advance(5_000)
            try await f.add()
            try await f.store.write { _ in }
            let figures = try f.store.maintenance.figures(&totals)
            #expect(figures.commits.count == before + 1)
            #expect(figures.lastCommit == f.clock.wall)
        }
    }
}
