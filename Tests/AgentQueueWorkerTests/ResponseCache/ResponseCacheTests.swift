import AgentQueueStore
import AgentQueueTestSupport
import Synchronization
import Testing

@testable import AgentQueueWorker

@Suite struct ResponseCacheTests {
    private let clock = TestClock()

    private func cache(_ maxEntries: Int = 100, _ maxBytes: Int64 = 1 << 20, shards: Int = 16) -> ResponseCache {
        ResponseCache(maxEntries: maxEntries, maxBytes: maxBytes, shards: shards) { [clock] in clock.now }
    }

    @Test func anExpiredAnswerIsNoneAndItsRoomIsFree() {
        let cache = cache()
        cache.insert(digest(1), .of("one", until: clock.now + 10))
        clock.now += 9
        #expect(cache.reply(digest(1))?.reply == "one")
        clock.now += 1
        #expect(cache.statistics.entries == 1)
        #expect(cache.reply(digest(1)) == nil)
        #expect(cache.statistics == ResponseCacheStatistics(entries: 0, bytes: 0, hits: 1, misses: 1, evictions: 0, expirations: 1))
        cache.insert(digest(2), .of("two", until: clock.now))
        #expect(cache.statistics.entries == 0, "what has expired is not kept")
    }

    @Test func anotherVersionIsNoAnswer() {
        let cache = cache()
        cache.insert(digest(1), .of("old", version: 7))
        #expect(cache.reply(digest(1), version: 7)?.reply == "old")
        #expect(cache.reply(digest(1), version: 8) == nil)
        #expect(cache.reply(digest(1)) == nil, "it is forgotten")
        cache.insert(digest(1), .of("new", version: 8))
        #expect(cache.reply(digest(1), version: 8)?.reply == "new")
        #expect(cache.statistics.entries == 1)
    }

    @Test func theExpiredGoBeforeTheLiving() {
        let cache = cache(10)
        for number in 0..<10 { cache.insert(digest(number), .of("x", until: number == 9 ? clock.now + 5 : .max)) }
        clock.now += 5
        // The one that has expired is the latest used.
        cache.insert(digest(10), .of("x"))
        #expect(cache.statistics.evictions == 0 && cache.statistics.expirations == 1)
        for number in 0..<9 { #expect(cache.reply(digest(number)) != nil) }
        cache.insert(digest(11), .of("x"))
        #expect(cache.reply(digest(10)) == nil, "then the one that was not used for the longest")
        #expect(cache.statistics.evictions == 1)
    }

    @Test func thousandsThatHaveExpiredMakeRoomAtOnce() {
        let cache = cache(5_000, .max)
        for number in 0..<5_000 { cache.insert(digest(number), .of("x", until: clock.now + 5)) }
        clock.now += 5
        cache.insert(digest(9_999), .of("x"))
        #expect(cache.statistics.entries == 1 && cache.statistics.expirations == 5_000)
    }

    @Test func whatIsLargerThanTheLimitIsNotKept() {
        let cache = cache(10, 1_000)
        cache.insert(digest(1), .of("small"))
        cache.insert(digest(2), .of(String(repeating: "x", count: 1_001)))
        #expect(cache.reply(digest(2)) == nil)
        #expect(cache.reply(digest(1)) != nil, "nothing went for it")
        cache.insert(digest(1), .of(String(repeating: "x", count: 1_001)))
        #expect(cache.reply(digest(1)) == nil, "the answer it replaces is out of date")
        #expect(cache.statistics.entries == 0 && cache.statistics.bytes == 0)
        let exact = 1_000 - Int(RecencyList.overhead) - "local/m".utf8.count
        cache.insert(digest(3), .of(String(repeating: "x", count: exact)))
        #expect(cache.statistics.bytes == 1_000)
        cache.insert(digest(4), .of(String(repeating: "x", count: exact + 1)))
        #expect(cache.reply(digest(3)) != nil && cache.reply(digest(4)) == nil)
    }

    @Test(arguments: [(0, Int64(1_000_000)), (100, 0), (0, 0), (-1, -1)])
    func aLimitOfNothingKeepsNothing(_ maxEntries: Int, _ maxBytes: Int64) {
        let cache = cache(maxEntries, maxBytes)
        cache.insert(digest(1), .of(""))
        #expect(cache.reply(digest(1)) == nil)
        #expect(cache.statistics == ResponseCacheStatistics(entries: 0, bytes: 0, hits: 0, misses: 1, evictions: 0, expirations: 0))
    }

    @Test func whatIsNoDigestHasNoAnswer() {
        let cache = cache()
        for nonsense in [[], [1], Array(repeating: UInt8(0), count: 33)] {
            cache.insert(nonsense, .of("x"))
            #expect(cache.reply(nonsense) == nil)
            cache.remove(nonsense)
        }
        #expect(cache.statistics.entries == 0)
    }

    @Test(arguments: [-1, 0, 1, 3, 300])
    func anyNumberOfShardsWorks(_ shards: Int) {
        let cache = cache(1_000, .max, shards: shards)
        for number in 0..<1_000 { cache.insert(digest(number), .of("\(number)")) }
        for number in 0..<1_000 { #expect(cache.reply(digest(number))?.reply == "\(number)") }
    }

    /// Eight tasks at once: the limits hold whenever anyone looks, no answer is another's, and the counts agree in the end.
    @Test(.timeLimit(.minutes(5))) func tasksDoNotDisturbEachOther() async {
        let (maxEntries, maxBytes) = (200, Int64(200 * (RecencyList.overhead + 100)))
        let cache = cache(maxEntries, maxBytes)
        let digests = (0..<600).map(digest)
        let clock = clock
        let violations = await withTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var generator = SeededGenerator(seed: UInt64(task))
                    var violations = 0
                    for _ in 0..<30_000 {
                        let number = Int.random(in: 0..<600, using: &generator)
                        switch Int.random(in: 0..<100, using: &generator) {
                        case 0..<50:
                            if let reply = cache.reply(digests[number], version: nil), !reply.reply.hasPrefix("\(number).") {
                                violations += 1
                            }
                        case 50..<54: _ = cache.reply(digests[number], version: 3)
                        case 54..<95:
                            let text = "\(number)." + String(repeating: "x", count: Int.random(in: 0..<300, using: &generator))
                            let life = Int64.random(in: 1..<1_000, using: &generator)
                            cache.insert(digests[number], .of(text, version: life % 4, until: clock.now + life))
                        case 95..<97: cache.remove(digests[number])
                        case 97 where task == 0 && number < 10: cache.removeAll()
                        default: clock.now += 1
                        }
                        let statistics = cache.statistics
                        if statistics.bytes > maxBytes || statistics.entries > maxEntries { violations += 1 }
                        if statistics.bytes < 0 || statistics.entries < 0 { violations += 1 }
                    }
                    return violations
                }
            }
            return await group.reduce(0, +)
        }
        #expect(violations == 0)
        let (statistics, audit) = (cache.statistics, cache.audit)
        #expect(audit.entries == Int64(statistics.entries) && audit.bytes == statistics.bytes)
        #expect(statistics.hits > 1_000 && statistics.evictions > 1_000 && statistics.expirations > 10)
        cache.removeAll()
        #expect(cache.statistics.entries == 0 && cache.statistics.bytes == 0)
    }
}

/// A clock that stands still until a test turns it, wall clock in ms.
final class TestClock: Sendable {
    private let time = Atomic<Int64>(1_000_000)
    var now: Int64 {
        get { time.load(ordering: .relaxed) }
        set { time.store(newValue, ordering: .relaxed) }
    }
}

extension CachedReply {
    static func of(_ text: String, version: Int64 = 1, until expiry: Int64 = .max) -> CachedReply {
        CachedReply(
            reply: text, target: "local/m", inputTokens: 1, outputTokens: 2, cost: 0.5, createdAt: version, expiresAt: expiry)
    }
}

/// The digest of a number: evenly spread, and the same each time.
func digest(_ number: Int) -> [UInt8] {
    var generator = SeededGenerator(seed: UInt64(number))
    return (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
}

extension ResponseCache {
    /// What the shards hold, counted one by one: entries and bytes.
    var audit: Released {
        var sum = Released()
        for shard in shards {
            shard.withState { sum.entries += Int64($0.list.count) }
            shard.withState { sum.bytes += $0.list.bytes }
        }
        return sum
    }
}
