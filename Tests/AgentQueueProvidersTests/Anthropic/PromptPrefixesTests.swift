import Testing

@testable import AgentQueueDialects
@testable import AgentQueueProviders

@Suite struct PromptPrefixesTests {
    static func prefix(_ text: String) -> PromptPrefix { PromptPrefix(hash: text.hashValue, timeToLive: 300_000) }

    let a = prefix("a")
    let b = prefix("b")

    @Test func oneLeadsAndTheOthersWait() {
        var prefixes = PromptPrefixes()
        #expect(prefixes.arrive(1, at: a, now: 0) == .lead)
        #expect(prefixes.arrive(2, at: a, now: 1) == .wait)
        #expect(prefixes.arrive(3, at: a, now: 2) == .wait)
        #expect(prefixes.arrive(4, at: b, now: 2) == .lead)
        #expect(prefixes.begin(a, now: 3) == [2, 3])
        #expect(prefixes.begin(a, now: 3) == [])
        #expect(prefixes.arrive(5, at: a, now: 4) == .go)
    }

    @Test func afterItsTimeAPrefixIsColdAgain() {
        var prefixes = PromptPrefixes()
        #expect(prefixes.arrive(1, at: a, now: 0) == .lead)
        #expect(prefixes.begin(a, now: 1_000) == [])
        #expect(prefixes.arrive(2, at: a, now: 300_999) == .go)
        // Each use keeps it warm anew.
        #expect(prefixes.begin(a, now: 300_999) == [])
        #expect(prefixes.arrive(3, at: a, now: 600_998) == .go)
        #expect(prefixes.arrive(4, at: a, now: 600_999) == .lead)
    }

    @Test func whenTheLeaderFailsTheNextOneLeads() {
        var prefixes = PromptPrefixes()
        #expect(prefixes.arrive(1, at: a, now: 0) == .lead)
        #expect(prefixes.arrive(2, at: a, now: 0) == .wait)
        #expect(prefixes.arrive(3, at: a, now: 0) == .wait)
        #expect(prefixes.fail(2, at: a) == nil)
        #expect(prefixes.fail(1, at: a) == 2)
        #expect(prefixes.fail(1, at: a) == nil)
        #expect(prefixes.begin(a, now: 5) == [3])
        // A leader that fails later hands nothing over: the prefix is there.
        #expect(prefixes.fail(2, at: a) == nil)
        #expect(prefixes.arrive(4, at: a, now: 6) == .go)
    }

    @Test func whoLeavesIsNotCalled() {
        var prefixes = PromptPrefixes()
        #expect(prefixes.arrive(1, at: a, now: 0) == .lead)
        #expect(prefixes.arrive(2, at: a, now: 0) == .wait)
        #expect(prefixes.arrive(3, at: a, now: 0) == .wait)
        prefixes.leave(2, at: a)
        #expect(prefixes.fail(1, at: a) == 3)
        #expect(prefixes.fail(3, at: a) == nil)
        #expect(prefixes.count == 0)
        #expect(prefixes.arrive(4, at: a, now: 0) == .lead)
    }

    @Test func itsMemoryIsBounded() {
        var prefixes = PromptPrefixes(capacity: 3)
        let all = (0..<5).map { Self.prefix("\($0)") }
        #expect(prefixes.arrive(0, at: all[0], now: 0) == .lead)
        for number in 1..<4 {
            #expect(prefixes.arrive(number, at: all[number], now: 0) == .lead)
            #expect(prefixes.begin(all[number], now: 0) == [])
        }
        // The first has a leader, and stays; of the others the one used longest ago goes.
        #expect(prefixes.arrive(10, at: all[2], now: 1) == .go)
        #expect(prefixes.arrive(11, at: all[4], now: 1) == .lead)
        #expect(prefixes.count == 3)
        #expect(prefixes.arrive(12, at: all[0], now: 1) == .wait)
        #expect(prefixes.arrive(13, at: all[2], now: 1) == .go)
    }

    @Test func aThousandAreRememberedAndNoMore() {
        var prefixes = PromptPrefixes()
        for number in 0..<1_500 {
            let prefix = Self.prefix("\(number)")
            #expect(prefixes.arrive(number, at: prefix, now: 0) == .lead)
            #expect(prefixes.begin(prefix, now: 0) == [])
        }
        #expect(prefixes.count == 1_000)
        #expect(prefixes.arrive(2_000, at: Self.prefix("1499"), now: 1) == .go)
        #expect(prefixes.arrive(2_001, at: Self.prefix("0"), now: 1) == .lead)
    }
}
