import Testing

@testable import AgentQueueWorker

/// Which slots are free where a provider does not end its calls.
@Suite struct FreeSlotTests {
    private static let second: Int64 = 1_000_000_000

    private func free(_ inFlight: InFlight, at seconds: Int64, lingering: Int = 0) -> FreeSlots {
        inFlight.freeSlots(of: 4, extra: 2, lingering: lingering, now: seconds * Self.second)
    }

    @Test func slotsHeldByCallsThatDoNotEndAreMadeUpForOtherProviders() {
        let inFlight = InFlight()
        for second in 0..<4 as Range<Int64> { inFlight.beginCall(of: "dead", now: second * Self.second) }
        #expect(free(inFlight, at: 2) == FreeSlots(count: 0))
        #expect(free(inFlight, at: 3) == FreeSlots(count: 2, excluded: ["dead"]))
        #expect(free(inFlight, at: 3, lingering: 1) == FreeSlots(count: 1, excluded: ["dead"]))
        inFlight.beginCall(of: "good", now: 4 * Self.second)
        #expect(free(inFlight, at: 4) == FreeSlots(count: 1, excluded: ["dead"]))
        inFlight.endCall(of: "good", now: 5 * Self.second)
        #expect(free(inFlight, at: 5) == FreeSlots(count: 2, excluded: ["dead"]))
        // There are never more than that.
        for _ in 0..<2 { inFlight.beginCall(of: "good", now: 6 * Self.second) }
        #expect(free(inFlight, at: 60) == FreeSlots(count: 0))
    }

    @Test func aProviderThatAnswersSharesItsSlotsAsUsual() {
        let inFlight = InFlight()
        for _ in 0..<4 { inFlight.beginCall(of: "busy", now: 0) }
        for second in 1..<20 as Range<Int64> {
            inFlight.endCall(of: "busy", now: second * Self.second)
            #expect(free(inFlight, at: second) == FreeSlots(count: 1))
            inFlight.beginCall(of: "busy", now: second * Self.second)
            #expect(free(inFlight, at: second + 2) == FreeSlots(count: 0))
        }
    }

    @Test func severalProvidersThatHangLeaveSlotsToTheRest() {
        let inFlight = InFlight()
        for provider in ["one", "two", "one", "two"] { inFlight.beginCall(of: provider, now: 0) }
        #expect(free(inFlight, at: 3) == FreeSlots(count: 2, excluded: ["one", "two"]))
        // One of them answers again.
        inFlight.endCall(of: "two", now: 4 * Self.second)
        #expect(free(inFlight, at: 4) == FreeSlots(count: 1))
    }

    @Test(arguments: [(1, true, 1), (5, true, 2), (10, true, 5), (1, false, 0)])
    func halfOfTheSlotsAreAddedAndAtLeastOne(_ concurrency: Int, _ coalesces: Bool, _ extra: Int) {
        var configuration = WorkerConfiguration(concurrency: concurrency)
        configuration.coalesces = coalesces
        #expect(configuration.extraConcurrency == extra)
    }
}
