import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueStore

/// The wall clock is set while something waits: an RTC in local time before NTP, a wrong year, a virtual machine that was paused.
@Suite struct ClockStepTests {
    private static let hour: Int64 = 3_600_000
    private static let day: Int64 = 86_400_000

    @Test func `a limit per minute goes on filling when the clock has gone back`() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local": CallLimits(requestsPerMinute: 60)])
            _ = try await f.add(70)
            #expect(try await f.claim(policies).count == 60)
            f.clock.wall -= 2 * Self.hour
            let round = try await f.round(policies)
            #expect(round.jobs.isEmpty && round.nextOpening == f.clock.wall + 1_000)
            f.clock.advance(1_000)
            #expect(try await f.claim(policies).count == 1)
        }
    }

    @Test(arguments: [2 * Self.hour, 364 * Self.day])
    func `a pause and a breaker last no longer when the clock has gone back`(_ step: Int64) async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting([:], breaker: CircuitBreaker.Policy(consecutive: 1, openFor: 30_000))
            _ = try await f.add(2)
            _ = try await f.add(2, of: "other/m")
            for job in try await f.claim(policies) {
                let report =
                    job.route.provider == "local"
                    ? CallReport.failed(job, .overloaded, retryAfter: 2_000) : CallReport.failed(job, .retryable, calls: 1)
                try await f.settle(job, report, policies)
            }
            f.clock.wall -= step
            // What is read is right before anything is written.
            #expect(try f.state(of: "local/m")?.pausedUntil == f.clock.wall + 2_000)
            #expect(try f.state(of: "other/m")?.breaker == .open(until: f.clock.wall + 30_000))
            try await f.store.maintenance.mendTimes()
            f.clock.advance(2_000)
            #expect(try f.state(of: "local/m")?.pausedUntil == nil)
            #expect(try f.state(of: "other/m")?.breaker == .open(until: f.clock.wall + 28_000))
            #expect(try f.state(of: "local/m")?.lastError?.at == f.clock.wall - 2_000)
        }
    }

    @Test func `a retry waits as long as it would have when the clock has gone back by a year`() async throws {
        try await withStore { f in
            let job = try await f.running()
            f.begin(job)
            f.clock.advance(1_000)
            try await f.fail(job)
            // A time that a user gave is a promise about the wall clock.
            let promised = try await f.add { $0.scheduledAt = f.clock.wall + 9_000 }
            f.clock.wall -= 364 * Self.day
            #expect(try await f.store.maintenance.mendTimes() == 1)
            #expect(try await f.store.maintenance.mendTimes() == 0, "mended once")
            #expect(try f.store.maintenance.nextDue() == f.clock.wall + 4_000)
            let mended = try f.job(job.id)
            #expect(mended.errors.map(\.at) == [f.clock.wall])
            f.clock.advance(4_000)
            #expect(try await f.store.maintenance.promote().promoted == 1)
            #expect(try f.states([job.id, promised]) == [.available, .scheduled])
        }
    }

    @Test func `a job without a start time that waits for another is ready with it when the clock has gone back`() async throws {
        try await withStore { f in
            let first = try await f.add()
            let second = try await f.add { $0.after = [first] }
            f.clock.wall -= 2 * Self.hour
            _ = try await f.complete(try await f.one())
            try await f.cascade()
            #expect(try f.state(second) == .available)
        }
    }

    @Test func `what a day that has not come cost counts today, and no wait lasts longer than today`() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local": CallLimits(usdPerDay: 1)], worst: 0.4)
            _ = try await f.add(5)
            try await f.answer(try #require(try await f.claim(policies, 1).first), cost: 0.3, policies)
            f.clock.wall += 300 * Self.day
            for job in try await f.claim(policies, 2) { try await f.answer(job, cost: 0.4, policies) }
            f.clock.wall -= 300 * Self.day
            try await f.store.maintenance.mendTimes()
            let round = try await f.round(policies)
            #expect(round.jobs.isEmpty && round.nextOpening == (f.clock.wall / Self.day + 1) * Self.day)
            let spent = try #require(try f.state(of: "local")?.spentToday)
            #expect(abs(spent - 1.1) < 1e-9)
        }
    }

    @Test func `notifications are tried again no later when the clock has gone back`() async throws {
        try await withStore { f in
            let job = try await f.running { $0.onFinish = ["pager"] }
            _ = try await f.complete(job)
            let notice = try #require(try await f.store.notifications.claim("pager", limit: 1, lease: 1_000).first)
            try await f.store.notifications.settle(notice, .failed("no answer"), retryAt: f.clock.wall + 10_000)
            f.clock.wall -= 2 * Self.hour
            try await f.store.maintenance.mendTimes()
            #expect(try f.store.notifications.nextDue() == f.clock.wall + 10_000)
            // Made before the clock went wrong: as long as any wait between two attempts.
            f.clock.wall += 1_000
            try await f.store.notifications.settle(
                try #require(try f.store.notifications.list(limit: 1).first), .failed("no answer"), retryAt: f.clock.wall + 300 * Self.day)
            try await f.store.maintenance.mendTimes()
            #expect(try f.store.notifications.nextDue() == f.clock.wall + Self.hour)
        }
    }

    @Test func `a step is noticed in memory, and reported once for all processes`() async throws {
        try await withStore { f in
            let clock = f.clock.storeClock
            var watch = ClockWatch()
            func hasStepped() -> Bool { watch.hasStepped(clock) }
            #expect(hasStepped(), "the clock may have been set before")
            #expect(try await f.store.maintenance.noteClock() == nil)
            f.clock.advance(Self.day)
            #expect(!hasStepped())
            f.clock.wall -= 1_500
            #expect(!hasStepped())
            f.clock.wall -= 1_500
            #expect(try f.store.maintenance.clockSteps().unnoticed?.length == -3_000)
            #expect(hasStepped())
            #expect(!hasStepped())
            let step = try #require(try await f.store.maintenance.noteClock())
            #expect(step == ClockStep(length: -3_000, at: f.clock.wall) && step.sentence == "was set back by 3s")
            let other = try f.another()
            defer { other.close() }
            #expect(try await other.maintenance.noteClock() == nil)
            let steps = try other.maintenance.clockSteps()
            #expect(steps.latest == step && steps.unnoticed == nil)
            // CLOCK_BOOTTIME counts from another moment after a reboot.
            f.clock.bootID = "0c0ffee0-1234"
            f.clock.boot = 3
            #expect(try await f.store.maintenance.noteClock() == nil)
            f.clock.wall += 2 * Self.hour
            #expect(try await f.store.maintenance.noteClock()?.sentence == "was set forward by 2h")
        }
    }

    /// Whatever the clock does, no wait is longer than the longest that its own rule sets, and all jobs end.
    @Test(arguments: 0..<12 as Range<UInt64>)
    func `waits never exceed their rules whatever steps the clock takes`(_ seed: UInt64) async throws {
        try await withStore(durability: .normal) { f in
            var random = SeededGenerator(seed: seed)
            var watch = ClockWatch()
            let policies = CallPolicies.limiting(
                ["local": CallLimits(requestsPerMinute: 120)], breaker: CircuitBreaker.Policy(consecutive: 3, openFor: 20_000))
            let ids = try await f.add(30)
            func mend() async throws {
                if watch.hasStepped(f.clock.storeClock) { try await f.store.maintenance.mendTimes() }
            }
            for turn in 0..<400 {
                let isCalm = turn > 250
                switch Int.random(in: 0..<10, using: &random) {
                case 0 where !isCalm: f.clock.wall += Int64.random(in: -400 * Self.day...400 * Self.day, using: &random)
                case 1 where !isCalm: f.clock.wall -= Int64.random(in: 0...2 * Self.hour, using: &random)
                case 2, 3: f.clock.advance(Int64.random(in: 0...5_000, using: &random))
                default: if isCalm { f.clock.advance(1_000) }
                }
                try await mend()
                _ = try await f.store.maintenance.promote()
                let round = try await f.round(policies, 2)
                for job in round.jobs {
                    f.begin(job)
                    switch isCalm ? 9 : Int.random(in: 0..<10, using: &random) {
                    case 0...1: try await f.settle(job, .failed(job, .rateLimited, retryAfter: 3_000), policies)
                    case 2: try await f.settle(job, .failed(job, .overloaded, retryAfter: 5_000), policies)
                    case 3: try await f.settle(job, .failed(job, .unreachable, scope: .provider), policies)
                    case 4...5: try await f.settle(job, .failed(job, .rateLimited), policies)
                    default: try await f.answer(job, policies)
                    }
                }
                let now = f.clock.wall
                if let opening = round.nextOpening { #expect(opening <= now + 60_000, "turn \(turn)") }
                if let due = try f.store.maintenance.nextDue() { #expect(due <= now + Settlement.longestSnooze, "turn \(turn)") }
                for state in try f.store.providers.states() {
                    #expect(state.pausedUntil ?? now <= now + 60_000, "turn \(turn)")
                    if case .open(let until) = state.breaker { #expect(until <= now + 20_000, "turn \(turn)") }
                }
            }
            #expect(try f.states(ids).allSatisfy { $0 == .completed }, "150 calm seconds are enough for everything")
        }
    }
}
