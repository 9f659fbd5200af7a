import Resilience
import Testing

@Suite struct BackoffTests {
    /// The wait lies in the upper half of the doubled base, never over the cap.
    @Test(
        arguments: [
            (1, 500...1_000), (2, 1_000...2_000), (3, 2_000...4_000), (10, 256_000...512_000), (11, 300_000...600_000),
            (12, 300_000...600_000),
            (41, 300_000...600_000), (1_000, 300_000...600_000), (.max, 300_000...600_000), (0, 500...1_000), (-7, 500...1_000),
        ] as [(Int, ClosedRange<Int64>)])
    func bounds(_ attempt: Int, _ range: ClosedRange<Int64>) {
        var generator = SeededGenerator(seed: UInt64(bitPattern: Int64(attempt)))
        for _ in 0..<200 { #expect(range.contains(Backoff().delay(afterAttempt: attempt, using: &generator))) }
    }

    @Test(
        arguments: [
            (Backoff(base: 0, cap: 10), 3, 1...1), (Backoff(base: 5, cap: 0), 1, 1...1), (Backoff(base: -5, cap: 10), 1, 1...1),
            (Backoff(base: 1, cap: 10), 1, 1...1), (Backoff(base: 3, cap: 10), 1, 2...3),
            (Backoff(base: .max, cap: .max - 1), 2, (Int64.max / 2)...(.max - 1)),
            (Backoff(base: .max, cap: 7), 40, 4...7),
        ] as [(Backoff, Int, ClosedRange<Int64>)])
    func extremes(_ backoff: Backoff, _ attempt: Int, _ range: ClosedRange<Int64>) {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<200 { #expect(range.contains(backoff.delay(afterAttempt: attempt, using: &generator))) }
    }

    /// Jitter parts a herd: both ends of the range are reached, and the mean lies in the middle.
    @Test func isSpread() {
        var generator = SeededGenerator(seed: 5)
        let waits = (0..<20_000).map { _ in Backoff().delay(afterAttempt: 3, using: &generator) }
        #expect(waits.min() ?? 0 < 2_020 && waits.max() ?? 0 > 3_980)
        #expect(abs(Double(waits.reduce(0, +)) / 20_000 - 3_000) < 25)
    }

    @Test func theSameSeedGivesTheSameWaits() {
        var one = SeededGenerator(seed: 9)
        var other = SeededGenerator(seed: 9)
        for attempt in 1...20 {
            #expect(Backoff().delay(afterAttempt: attempt, using: &one) == Backoff().delay(afterAttempt: attempt, using: &other))
        }
    }
}
