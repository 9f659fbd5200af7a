import AgentQueueModel
import AgentQueueStore
import Foundation
import Testing

@testable import AgentQueueWorker

/// Warming from a store in a real file.
@Suite struct WarmingTests {
    private let clock = TestClock()

    private func withStore(_ body: (QueueStore) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "/aq-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let clocks = StoreClock(wall: { [clock] in clock.now }, boot: { 1 }, bootID: { "boot" })
        let store = try QueueStore(path: folder + "/queue.db", options: StoreOptions(durability: .normal, clock: clocks))
        defer { store.close() }
        try await body(store)
    }

    /// Adds a job whose request has a digest, and has it answered, or served by the cache.
    private func ask(_ store: QueueStore, _ number: Int, timeToLive: Int64 = 1_000_000_000, text: String = "") async throws {
        let job = NewJob(kind: .generate, target: Target(provider: "local", model: "m"), body: "{}", digest: digest(number))
        guard try await store.jobs.enqueue(job).state == .available else { return }
        let worker = try await store.claims.registerWorker()
        let round = try await store.claims.claim(
            ClaimRequest(worker: worker.id, queues: nil, providers: ["local"], slots: 1, lease: 60_000, isIdle: true))
        let claimed = try #require(round.jobs.first)
        let result = JobResult(
            reply: ["text": .string(text + "\(number)")], usage: Usage(), cost: 0, answeredBy: .provider, target: "local/m", latency: 1)
        _ = try await store.claims.settle(
            SettleRequest(
                job: claimed, settlement: Settlement(state: .completed), result: result,
                cache: CacheWrite(digest: job.digest, timeToLive: timeToLive)))
        try await store.claims.unregisterWorker(worker.id)
    }

    private func numbers(_ entries: [(digest: [UInt8], reply: CachedReply)]) -> [Int] {
        entries.compactMap { entry in (0..<100).first { digest($0) == entry.digest } }
    }

    @Test func thePopularComeFirst() async throws {
        try await withStore { store in
            // Number 1 has served four times, but not for two days; 2 twice an hour ago; 3 and 4 once each, now.
            for _ in 0..<5 { try await ask(store, 1) }
            clock.now += 47 * 3_600_000
            for _ in 0..<3 { try await ask(store, 2) }
            clock.now += 3_600_000
            try await ask(store, 3)
            try await ask(store, 3)
            try await ask(store, 5, timeToLive: 10)
            clock.now += 10
            try await ask(store, 4)
            try await ask(store, 4)
            #expect(numbers(try store.cache.popular(limit: 10, bytes: 1 << 20)) == [4, 3, 2, 1], "without the one that has expired")
            #expect(numbers(try store.cache.popular(limit: 3, bytes: 1 << 20)) == [4, 3, 2])
            let each = Int64(try #require(try store.cache.entries(limit: 1).first).bytes)
            #expect(numbers(try store.cache.popular(limit: 10, bytes: each * 2)) == [4, 3])
            #expect(try store.cache.popular(limit: 0, bytes: 1 << 20).isEmpty)
            #expect(try store.cache.popular(limit: .max, bytes: .max).count == 4)
        }
    }

    @Test func warmingFillsTheCache() async throws {
        try await withStore { store in
            for number in 0..<20 {
                clock.now += 1
                try await ask(store, number, text: String(repeating: "x", count: number == 18 ? 9_000 : 100))
            }
            let one = RecencyList.size(of: try #require(try store.cache.reply(digest(10))))
            let cache = ResponseCache(maxEntries: 100, maxBytes: one * 5) { [clock] in clock.now }
            cache.insert(digest(50), .of("was here"))
            #expect(try cache.warm(from: store) == 4)
            #expect(cache.statistics.entries == 5 && cache.statistics.evictions == 0)
            #expect(cache.reply(digest(50)) != nil)
            for number in [19, 17, 16, 15] {
                #expect(cache.reply(digest(number)) == (try store.cache.reply(digest(number))))
            }
            #expect(cache.statistics.hits == 5, "and not the one that is too large")
            // The most popular counts as the latest used.
            let other = ResponseCache(maxEntries: 3, maxBytes: .max) { [clock] in clock.now }
            #expect(try other.warm(from: store) == 3)
            other.insert(digest(60), .of("x"))
            #expect(other.reply(digest(19)) != nil && other.reply(digest(17)) == nil)
            #expect(try other.warm(from: store) == 0, "it is full")
            #expect(try ResponseCache(maxEntries: 0, maxBytes: 0) { 0 }.warm(from: store) == 0)
        }
    }
}
