import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

@Suite struct CongestionControlTests {
    private static let isLong = ProcessInfo.processInfo.environment["AGENT_QUEUE_LONG_TESTS"] != nil

    // MARK: Single facts

    @Test func aSingleRefusalTeachesNoRateAndHoldsBackNoOtherCall() {
        var control = CongestionControl()
        #expect(control.refuse(7, retryAfter: 1_000, latest: 9, taken: 200, now: 0) == nil)
        #expect(control.phase == .watching && control.rate(at: 0) == nil && control.countsCalls)
        #expect(!control.isOver(at: 60_000) && control.isOver(at: 60_001))
    }

    @Test func refusalsInARowAreALimit() throws {
        var control = CongestionControl()
        for call in 1...4 as ClosedRange<Int64> {
            #expect(control.refuse(call, retryAfter: 20_000, latest: 5, taken: 60, now: 1_000) == nil)
        }
        #expect(control.refuse(5, retryAfter: 20_000, latest: 5, taken: 60, now: 1_000) == 20_000)
        #expect(control.phase == .slowStart && control.rate(at: 21_000) == 57)
        #expect(try abs(#require(control.rate(at: 25_210)) - 114) < 0.2, "twice as much after four calls")
        // Calls that began before the limit was met say nothing more.
        let before = control
        #expect(control.refuse(4, retryAfter: 20_000, latest: 5, taken: 60, now: 1_500) == nil)
        #expect(control.rate(at: 30_000) == before.rate(at: 30_000))
    }

    /// A few calls and a short wait do not make a limit of a few calls a minute.
    @Test func aShortWaitMakesNoTightLimit() {
        var control = CongestionControl()
        for call in 1...5 as ClosedRange<Int64> { _ = control.refuse(call, retryAfter: 100, latest: 5, taken: 1, now: 0) }
        #expect(control.rate(at: 100) == 570)
    }

    @Test func waitsWithoutATimeDouble() {
        var control = CongestionControl()
        var now: Int64 = 0
        for call in 1...4 as ClosedRange<Int64> { _ = control.refuse(call, retryAfter: nil, latest: call, taken: 0, now: now) }
        for (index, wait) in ([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] as [Int64]).enumerated() {
            let call = Int64(index) + 5
            control.begin(call, now: now)
            #expect(control.refuse(call, retryAfter: nil, latest: call, taken: 0, now: now) == wait)
            now += wait
        }
        control.begin(20, now: now)
        control.accept(20, now: now)
        control.begin(21, now: now)
        #expect(control.refuse(21, retryAfter: nil, latest: 21, taken: 0, now: now) == 1_000)
    }

    /// "At once" is no time: a loop of calls would follow.
    @Test(arguments: [0, -1_000] as [Int64])
    func aTimeThatIsNotInTheFutureIsNone(_ retryAfter: Int64) {
        var named = CongestionControl()
        var unnamed = CongestionControl()
        for call in 1...40 as ClosedRange<Int64> {
            let now = call * 1_000
            named.begin(call, now: now)
            unnamed.begin(call, now: now)
            let wait = named.refuse(call, retryAfter: retryAfter, latest: call, taken: 0, now: now)
            #expect(wait == unnamed.refuse(call, retryAfter: nil, latest: call, taken: 0, now: now))
        }
        #expect(named == unnamed)
    }

    @Test func aTimeThatIsAlwaysTooShortIsBelievedOnce() {
        var control = CongestionControl()
        var now: Int64 = 0
        for call in 1...4 as ClosedRange<Int64> { _ = control.refuse(call, retryAfter: 150, latest: call, taken: 0, now: now) }
        for (index, wait) in ([150, 200, 400, 800, 1_600, 3_200] as [Int64]).enumerated() {
            let call = Int64(index) + 5
            control.begin(call, now: now)
            #expect(control.refuse(call, retryAfter: 150, latest: call, taken: 0, now: now) == wait)
            now += wait
        }
        control.begin(20, now: now)
        control.accept(20, now: now)
        control.begin(21, now: now)
        #expect(control.refuse(21, retryAfter: 150, latest: 21, taken: 0, now: now) == 150)
    }

    @Test func whatWasLearnedIsForgottenAfterAQuietTime() {
        var control = CongestionControl()
        for call in 1...5 as ClosedRange<Int64> { _ = control.refuse(call, retryAfter: 1_000, latest: 5, taken: 60, now: 0) }
        #expect(!control.isOver(at: 600_000) && control.isOver(at: 600_001))
    }

    @Test func theStoredFormIsReadBack() throws {
        var control = CongestionControl()
        for call in 1...9 as ClosedRange<Int64> {
            #expect(CongestionControl(control.text) == control)
            control.begin(call, now: call * 1_000)
            _ = control.refuse(call, retryAfter: 1_000, latest: call, taken: 31.5, now: call * 1_000)
        }
        #expect(try #require(CongestionControl(control.text)) == control)
        #expect(CongestionControl(control.text + " more") == control, "a newer version may add to it")
        for damaged in [
            "", "avoidance", "slow_start 1 2 3", control.text.replacing("slow_start", with: "other"), "idle nan" + control.text,
        ] {
            #expect(CongestionControl(damaged) == nil)
        }
    }

    // MARK: Simulations

    /// Servers that say nothing but when to come again, of all kinds and sizes: after the first minute nine tenths of the limit are used,
    /// and at most two calls in a hundred, or two a minute, are refused.
    @Test func hiddenLimitsAreUsedAndRarelyMet() {
        var misses: [String] = []
        let servers = Self.isLong ? 3_000 : 240
        for seed in 0..<UInt64(servers) {
            var generator = SeededGenerator(seed: seed)
            let kind = [LimitedServer.Kind.fixedWindow, .slidingWindow, .tokenBucket].randomElement(using: &generator) ?? .fixedWindow
            let limit = Int(Self.logarithmic(6, 6_000, &generator))
            var server = LimitedServer(kind, perMinute: limit, advice: .wholeSeconds)
            server.phase = Int64.random(in: 0..<60_000, using: &generator)
            let length: Int64 = limit > 1_000 ? 420_000 : 600_000
            let (client, most) = Self.run(&server, for: length, &generator)
            let figures = client.perMinute(from: 60, to: Int(length / 1_000))
            let share = figures.refusals / (figures.answers + figures.refusals)
            if figures.answers < 0.9 * most || (figures.refusals > 2 && share > 0.02) {
                misses.append("seed \(seed): \(kind) \(limit), \(figures) of at most \(most), \(client.concurrency) at once")
            }
        }
        print("limits: \(misses.count) of \(servers) simulated servers missed\n\(misses.prefix(20).joined(separator: "\n"))")
        #expect(misses.count * 100 <= servers * 4)
    }

    /// Servers that do not even say that much: most of the limit is used, and few calls are refused.
    @Test func limitsWithoutAdviceAreUsedToo() {
        var shares: [Double] = []
        var refusals: [Double] = []
        for seed in 0..<(Self.isLong ? 1_000 : 60) as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let kind = [LimitedServer.Kind.fixedWindow, .slidingWindow, .tokenBucket].randomElement(using: &generator) ?? .fixedWindow
            let limit = Int(Self.logarithmic(30, 2_000, &generator))
            var server = LimitedServer(kind, perMinute: limit, advice: .nothing)
            let (client, most) = Self.run(&server, for: 600_000, &generator)
            let figures = client.perMinute(from: 60, to: 600)
            shares.append(figures.answers / most)
            refusals.append(figures.refusals / (figures.answers + figures.refusals))
        }
        shares.sort()
        refusals.sort()
        print(
            "limits: without advice, \(shares[shares.count / 10]) of the limit and \(refusals[refusals.count * 9 / 10]) refused at the worst tenth"
        )
        #expect(shares[shares.count / 10] >= 0.6)
        #expect(refusals[refusals.count * 9 / 10] <= 0.06)
    }

    /// Calls that are refused at random: the others go on nearly as before.
    @Test(arguments: [LimitedServer.Advice.wholeSeconds, .nothing])
    func refusalsAtRandomTeachNoRate(_ advice: LimitedServer.Advice) {
        let servers = Self.isLong ? 500 : 25
        var misses: [String] = []
        for seed in 0..<UInt64(servers) {
            var generator = SeededGenerator(seed: seed)
            var server = LimitedServer(.unlimited, perMinute: 1, advice: advice)
            server.noise = 0.05
            let latency = Int64(Self.logarithmic(200, 10_000, &generator))
            let concurrency = [2, 5, 10, 40].randomElement(using: &generator) ?? 5
            var client = SimulatedClient(
                concurrency: concurrency, answer: latency, refusal: [20, 300].randomElement(using: &generator) ?? 20)
            client.run(for: 300_000, &server, &generator)
            let rate = client.perMinute(from: 0, to: 300).answers
            let full = Double(concurrency) * 60_000 / Double(latency)
            if rate < 0.7 * full { misses.append("seed \(seed): \(rate) of \(full) a minute, \(client.control.phase)") }
        }
        #expect(misses.count * 100 <= servers, "\(misses)")
    }

    @Test(arguments: [1, 10, 40])
    func oneStrayRefusalSlowsNothing(_ concurrency: Int) {
        var generator = SeededGenerator(seed: 5)
        var server = LimitedServer(.unlimited, perMinute: 1, advice: .wholeSeconds)
        server.strayAt = 20_000
        var client = SimulatedClient(concurrency: concurrency, answer: 400, refusal: 20)
        client.run(for: 120_000, &server, &generator)
        let (before, during, after) = (
            client.perMinute(from: 5, to: 20), client.perMinute(from: 20, to: 30), client.perMinute(from: 30, to: 120)
        )
        #expect(during.answers >= 0.85 * before.answers && after.answers >= 0.9 * before.answers)
        #expect(client.control.isOver(at: 120_000))
    }

    private static func run(
        _ server: inout LimitedServer, for length: Int64, _ generator: inout SeededGenerator
    ) -> (SimulatedClient, most: Double) {
        let latency = logarithmic(100, 30_000, &generator)
        let needed = Double(server.perMinute) * latency / 60_000
        // As one to four processes have it, and as much as the limit needs or more.
        let concurrency = min(400, Int(needed * ([1.05, 1.5, 3, 6].randomElement(using: &generator) ?? 3)) + 1)
        var client = SimulatedClient(
            concurrency: concurrency, answer: Int64(latency), refusal: [20, 100, 300].randomElement(using: &generator) ?? 20)
        client.run(for: length, &server, &generator)
        return (client, min(Double(server.perMinute), Double(concurrency) * 60_000 / latency))
    }

    private static func logarithmic(_ least: Double, _ most: Double, _ generator: inout SeededGenerator) -> Double {
        exp(Double.random(in: log(least)...log(most), using: &generator))
    }
}
