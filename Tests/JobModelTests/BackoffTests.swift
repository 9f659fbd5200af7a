import Resilience
import TestSupport
import Testing

@Suite struct BackoffTests {
    /// The wait lies anywhere between the floor and the doubled base, never over the cap.
    @Test(
        arguments: [
            (1, 100...1_000), (2, 100...2_000), (3, 100...4_000), (10, 100...512_000), (11, 100...600_000), (12, 100...600_000),
            (41, 100...600_000), (1_000, 100...600_000), (.max, 100...600_000), (0, 100...1_000), (-7, 100...1_000),
        ] as [(Int, ClosedRange<Int64>)])
    func bounds(_ attempt: Int, _ range: ClosedRange<Int64>) {
        var generator = SeededGenerator(seed: UInt64(bitPattern: Int64(attempt)))
        let waits = (0..<2_000).map { _ in Backoff().delay(afterAttempt: attempt, using: &generator) }
        #expect(waits.allSatisfy(range.contains))
        // All of the range, and evenly: half of the waits lie in its lower half.
        let width = range.upperBound - range.lowerBound
        #expect((waits.min() ?? 0) < range.lowerBound + width / 50 && (waits.max() ?? 0) > range.upperBound - width / 50)
        let low = waits.count { $0 < range.lowerBound + width / 2 }
        #expect((880...1_120).contains(low))
    }

    @Test(
        arguments: [
            (Backoff(base: 0, cap: 10), 3, 1...1), (Backoff(base: 5, cap: 0), 1, 1...1), (Backoff(base: -5, cap: 10), 1, 1...1),
            (Backoff(base: 1, cap: 10, floor: 0), 1, 0...1), (Backoff(base: 3, cap: 10), 1, 3...3),
            (Backoff(base: 3, cap: 10, floor: 2), 1, 2...3), (Backoff(base: .max, cap: .max - 1), 2, 100...(.max - 1)),
            (Backoff(base: .max, cap: 7, floor: 0), 40, 0...7),
        ] as [(Backoff, Int, ClosedRange<Int64>)])
    func extremes(_ backoff: Backoff, _ attempt: Int, _ range: ClosedRange<Int64>) {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<200 { #expect(range.contains(backoff.delay(afterAttempt: attempt, using: &generator))) }
    }

    @Test func theSameSeedGivesTheSameWaits() {
        var one = SeededGenerator(seed: 9)
        var other = SeededGenerator(seed: 9)
        for attempt in 1...20 {
            #expect(Backoff().delay(afterAttempt: attempt, using: &one) == Backoff().delay(afterAttempt: attempt, using: &other))
        }
    }
}
