import AgentQueueModel
import AgentQueueTestSupport
import Testing

@Suite struct TokenBucketTests {
    private let start: Int64 = 1_000_000

    private func bucket(_ capacity: Double = 60, level: Double? = nil) -> TokenBucket {
        TokenBucket(capacity: capacity, level: level ?? capacity, updatedAt: start)
    }

    /// It refills evenly, up to its capacity, also out of debt.
    @Test(
        arguments: [
            (60, 60, 0, 60), (60, 60, 90_000, 60), (60, 0, 0, 0), (60, 0, 1_000, 1), (60, 0, 30_000, 30), (60, 0, 60_000, 60),
            (60, 0, 600_000, 60), (60, -30, 30_000, 0), (60, -30, 90_000, 60), (6, 1, 10_000, 2), (60, 10, -5_000, 0),
            (60, -10, -5_000, -10),
        ] as [(Double, Double, Int64, Double)])
    func level(_ capacity: Double, _ level: Double, _ after: Int64, _ expected: Double) {
        #expect(abs(bucket(capacity, level: level).level(at: start + after) - expected) < 1e-9)
    }

    @Test(
        arguments: [
            (60, 60, 1, 0), (60, 1, 1, 0), (60, 0, 1, 1_000), (60, 0.5, 1, 500), (60, 0, 60, 60_000), (60, -60, 1, 61_000),
            // More than it holds goes when it is full.
            (60, 60, 500, 0), (60, 59, 500, 1_000), (60, -440, 500, 500_000), (7, 0, 1, 8_572),
        ] as [(Double, Double, Double, Int64)])
    func opening(_ capacity: Double, _ level: Double, _ amount: Double, _ wait: Int64) {
        let bucket = bucket(capacity, level: level)
        #expect(bucket.opening(for: amount, now: start) == start + wait)
        // At that time it may be taken, and not a moment before.
        #expect(bucket.opening(for: amount, now: start + wait) == start + wait)
        if wait > 0 { #expect(bucket.opening(for: amount, now: start + wait - 1) == start + wait) }
    }

    @Test func whatIsTakenIsGone() {
        var bucket = bucket()
        bucket.take(45, now: start)
        bucket.take(20, now: start + 1_000)
        #expect(bucket.level == -4 && bucket.updatedAt == start + 1_000)
        bucket.adjust(taken: 20, used: 5, now: start + 1_000)
        #expect(bucket.level == 11)
        bucket.adjust(taken: 45, used: 145, now: start + 1_000)
        #expect(bucket.level == -89)
        bucket.adjust(taken: 1_000, used: 0, now: start + 1_000)
        #expect(bucket.level == 60, "never more than it holds")
    }

    /// A clock that is set back takes nothing and gives nothing.
    @Test func timeMayGoBack() {
        var bucket = bucket(level: 30)
        bucket.take(1, now: start - 50_000)
        #expect(bucket.level == 29 && bucket.updatedAt == start)
        #expect(bucket.opening(for: 1, now: start - 50_000) == start)
    }

    @Test(arguments: [60.0, 3, -40])
    func aParkedBucketOpensAtItsTime(_ level: Double) {
        var bucket = bucket(level: level)
        bucket.park(until: start + 7_000, now: start)
        #expect(bucket.opening(for: 1, now: start) == start + 7_000)
        #expect(bucket.level(at: start + 6_999) <= 1)
        #expect(bucket.opening(for: 1, now: start + 7_000) == start + 7_000)
        #expect(bucket.opening(for: 2, now: start + 7_000) == start + 8_000, "one, and no crowd")
        bucket.park(until: start + 2_000, now: start)
        #expect(bucket.opening(for: 1, now: start) == start + 7_000, "a park is not shortened")
    }

    @Test func whatMayNotBeTakenYetIsADebtAtTheParksEnd() {
        var bucket = bucket()
        bucket.park(until: start + 7_000, now: start)
        bucket.take(3, now: start + 1_000)
        #expect(bucket.level(at: start + 7_000) == -2)
    }

    @Test(
        arguments: [
            // limit, remaining, configured; capacity, level
            (100, 80, nil, 100, 80), (100, nil, nil, 100, 100), (nil, 5, nil, 60, 5), (nil, 500, nil, 60, 60), (nil, nil, nil, 60, 60),
            (100, 90, 60, 60, 60), (30, 30, 60, 30, 30), (30, 2, 60, 30, 2), (0, nil, nil, 60, 60), (100, 0, nil, 100, 0),
        ] as [(Double?, Double?, Double?, Double, Double)])
    func observation(_ limit: Double?, _ remaining: Double?, _ configured: Double?, _ capacity: Double, _ level: Double) {
        var bucket = bucket()
        bucket.observe(limit: limit, remaining: remaining, reset: nil, configured: configured, now: start)
        #expect(bucket.capacity == capacity && bucket.level == level)
    }

    /// A provider says that its window is full again in 50 s although little is missing: it renews its window at once. When that is
    /// exhausted, nothing comes before its time, and then all of it.
    @Test func aWindowThatIsRenewedAtOnce() {
        var bucket = bucket(100)
        bucket.observe(limit: 100, remaining: 95, reset: 50_000, configured: nil, now: start)
        #expect(bucket.renewsAtOnce)
        bucket.observe(limit: 100, remaining: 0, reset: 20_000, configured: nil, now: start + 30_000)
        #expect(bucket.opening(for: 1, now: start + 30_000) == start + 50_000)
        #expect(bucket.opening(for: 100, now: start + 30_000) == start + 50_000)
        // No header is believed for longer than an hour.
        bucket.observe(limit: 100, remaining: 0, reset: .max / 4, configured: nil, now: start + 60_000)
        #expect(bucket.opening(for: 1, now: start + 60_000) == start + 60_000 + TokenBucket.longestReset)
    }

    @Test func aWindowThatFillsEvenly() {
        var bucket = bucket(100)
        bucket.observe(limit: 100, remaining: 95, reset: 3_000, configured: nil, now: start)
        #expect(!bucket.renewsAtOnce)
        bucket.observe(limit: 100, remaining: 0, reset: 60_000, configured: nil, now: start)
        #expect(bucket.opening(for: 1, now: start) == start + 600)
    }

    @Test(
        arguments: [(30, 60, 90, 60), (30, 60, 45, 15), (60, 60, 30, 30), (-10, 60, 30, -40), (30, 60, 0, -29)]
            as [(Double, Double, Double, Double)])
    func anotherCapacityKeepsWhatWasUsed(_ level: Double, _ old: Double, _ new: Double, _ expected: Double) {
        var bucket = bucket(old, level: level)
        bucket.resize(new)
        #expect(bucket.capacity == max(1, new) && bucket.level == expected)
    }

    @Test(arguments: [(30, 60, 90, 30), (30, 60, 20, 20), (-4, 60, 30, -4)] as [(Double, Double, Double, Double)])
    func aCorrectedCapacityKeepsWhatIsLeft(_ level: Double, _ old: Double, _ new: Double, _ expected: Double) {
        var bucket = bucket(old, level: level)
        bucket.correct(new)
        #expect(bucket.capacity == new && bucket.level == expected)
    }

    /// Whatever happens: over any time, no more is let through than a full bucket and what flowed in, but for one overdraft.
    @Test func neverMoreThanItsRate() {
        for seed in 0..<200 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let capacity = Double.random(in: 1...500, using: &generator)
            var bucket = TokenBucket(capacity: capacity, now: 0)
            var now: Int64 = 0
            var taken = 0.0
            for _ in 0..<200 {
                now += Int64.random(in: 0...2_000, using: &generator)
                let amount = Double.random(in: 0...(capacity * 1.2), using: &generator)
                guard bucket.opening(for: amount, now: now) <= now else { continue }
                bucket.take(amount, now: now)
                taken += amount
                #expect(taken <= capacity * 1.2 + Double(now) * capacity / 60_000 + 1e-3)
            }
            #expect(taken > 0)
        }
    }
}
