import AgentQueueModel
import AgentQueueStore
import CAgentQueue
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

    @Test func aProcessThatLacksWhatACallNeedsPausesForTwiceAsLongEachTime() {
        let inFlight = InFlight()
        var now: Int64 = 0
        for seconds in [1, 2, 4, 8, 16, 30, 30] as [Int64] {
            #expect(inFlight.pause(now: now) == seconds)
            #expect(inFlight.pause(now: now) == nil, "one pause at a time")
            now += seconds * Self.second
            #expect(inFlight.freeSlots(of: 4, extra: 2, lingering: 0, now: now - 1) == FreeSlots(count: 0))
            #expect(inFlight.freeSlots(of: 4, extra: 2, lingering: 0, now: now) == FreeSlots(count: 4))
        }
        #expect(inFlight.pause(now: now + 61 * Self.second) == 1)
    }

    /// It is neither the provider's failure nor the job's attempt.
    @Test func aShortageOfThisProcessCostsNoAttemptAndBlamesNobody() async throws {
        let provider = ScriptedProvider { texts, _ in
            texts.map { _ in Outcome.failure(.notConnected("local was not called: this process has too many open files")) }
        }
        try await withBench(provider) {
            $0.concurrency = 1
        } _: { b in
            let ids = try await b.add(["a"]) { $0.maxAttempts = 1 }
            let start = platform_monotonic_ns()
            try await b.round()
            let job = try #require(try b.store.jobs.get(ids[0]))
            #expect(job.state == .retryable && job.attempt == 0 && job.errors.map(\.failure) == [.unreachable])
            #expect(try b.store.providers.states().allSatisfy { $0.pauseClass == nil && $0.lastError == nil })
            let free = b.inFlight.freeSlots(of: 1, extra: 1, lingering: 0, now: start + Self.second - 1)
            #expect(free == FreeSlots(count: 0), "no call begins for a second")
        }
    }

    @Test(arguments: [(1, true, 1), (5, true, 2), (10, true, 5), (1, false, 0)])
    func halfOfTheSlotsAreAddedAndAtLeastOne(_ concurrency: Int, _ coalesces: Bool, _ extra: Int) {
        var configuration = WorkerConfiguration(concurrency: concurrency)
        configuration.coalesces = coalesces
        #expect(configuration.extraConcurrency == extra)
    }
}
