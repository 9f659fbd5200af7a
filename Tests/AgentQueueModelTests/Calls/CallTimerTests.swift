import AgentQueueModel
import Testing

@Suite struct CallTimerTests {
    /// A cancelled sleep is kept until its time: a call that has ended must not leave one of ten minutes.
    @Test func aLongSleepIsMadeOfShortOnes() async throws {
        let start = ContinuousClock.now
        var last = start
        var longest = Duration.zero
        try await CallTimer.sleep(until: start + .seconds(600)) { time in
            longest = max(longest, time - last)
            last = time
            return time
        }
        #expect(last == start + .seconds(600))
        #expect(longest < CallTimer.step + .seconds(1))
    }

    @Test func aPastDeadlineIsNotWaitedFor() async throws {
        try await CallTimer.sleep(until: .now - .seconds(1)) { _ in throw CancellationError() }
    }

    @Test func aCancelledSleepEndsAtOnce() async throws {
        let start = ContinuousClock.now
        let task = Task { try await CallTimer.sleep(for: .seconds(600)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(ContinuousClock.now - start < .seconds(60))
    }
}
