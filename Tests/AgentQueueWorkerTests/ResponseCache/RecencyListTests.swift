import AgentQueueStore
import AgentQueueTestSupport
import Testing

@testable import AgentQueueWorker

@Suite struct RecencyListTests {
    private func key(_ number: Int) -> CacheKey { CacheKey(digest(number))! }

    @Test func theOldestGoesFirst() {
        var list = RecencyList()
        for number in 0..<5 { list.insert(key(number), .of("x"), size: 10, tick: UInt64(number)) }
        list.use(list.slot(of: key(0))!, tick: 5)
        list.use(list.slot(of: key(2))!, tick: 6)
        list.use(list.slot(of: key(2))!, tick: 7)
        #expect(list.keys == [2, 0, 4, 3, 1].map(key))
        #expect(list.oldestTick == 1 && list.count == 5 && list.bytes == 50)
        for (number, tick) in [(1, 3), (3, 4), (4, 5), (0, 7)] as [(Int, UInt64)] {
            #expect(list.removeOldest() == 10)
            #expect(list.slot(of: key(number)) == nil && list.oldestTick == tick)
        }
        #expect(list.removeOldest() == 10)
        #expect(list.removeOldest() == nil && list.oldestTick == .max && list.keys == [] && list.bytes == 0)
    }

    @Test func theFirstToExpireIsKnown() {
        var list = RecencyList()
        for (number, time) in [50, 20, 90, 20, 70].enumerated() {
            list.insert(key(number), .of("x", until: Int64(time)), size: 1, tick: UInt64(number))
        }
        #expect(list.firstExpiry == 20)
        #expect(list.removeExpired(now: 19) == nil)
        #expect(list.removeExpired(now: 20) == 1)
        #expect(list.removeExpired(now: 20) == 1)
        #expect(list.removeExpired(now: 20) == nil)
        #expect(list.keys == [4, 2, 0].map(key) && list.firstExpiry == 50)
        list.remove(list.slot(of: key(0))!)
        #expect(list.firstExpiry == 70)
    }

    @Test func ofDigestsThatBeginAlikeTheNewerStays() {
        let one = digest(1)
        var other = one
        other[31] ^= 1
        var list = RecencyList()
        #expect(list.insert(CacheKey(one)!, .of("one"), size: 7, tick: 1) == nil)
        #expect(list.slot(of: CacheKey(other)!) == nil, "it is not taken for the other")
        #expect(list.insert(CacheKey(other)!, .of("other"), size: 8, tick: 2) == 7)
        #expect(list.slot(of: CacheKey(one)!) == nil && list.count == 1 && list.bytes == 8)
        #expect(list.reply(in: list.slot(of: CacheKey(other)!)!).reply == "other")
        #expect(CacheKey(Array(one.dropLast())) == nil)
    }

    @Test func roomIsGivenBackAfterACrowd() {
        var list = RecencyList()
        for number in 0..<5_000 { list.insert(key(number), .of("\(number)", until: Int64(number)), size: 1, tick: UInt64(number)) }
        for _ in 0..<4_990 { _ = list.removeOldest() }
        #expect(list.nodeCount < 100)
        #expect(list.keys == (4_990..<5_000).reversed().map(key))
        #expect(list.firstExpiry == 4_990 && list.oldestTick == 4_990)
        #expect(list.slot(of: key(4_995)).map { list.reply(in: $0).reply } == "4995")
    }

    @Test func anOrderOfExpiryStaysOne() {
        var generator = SeededGenerator(seed: 7)
        var order = ExpiryOrder()
        var times: [Int32: Int64] = [:]
        for _ in 0..<20_000 {
            let slot = Int32.random(in: 0..<Int32(min(300, times.count + 1)), using: &generator)
            if times[slot] != nil {
                order.remove(slot)
                times[slot] = nil
            } else if Int(slot) <= (times.keys.max().map(Int.init) ?? -1) + 1 || times.isEmpty && slot == 0 {
                let time = Int64.random(in: 0..<100, using: &generator)
                order.insert(slot, at: time)
                times[slot] = time
            }
            #expect(order.first?.time == times.values.min())
            if let first = order.first { #expect(times[first.slot] == first.time) }
        }
    }
}
