import AgentQueueModel
import Testing

@testable import AgentQueueStore

@Suite struct CacheTests {
    /// Answers a question, keeping the answer. Returns its digest.
    @discardableResult
    private func keep(_ f: Fixture, _ name: String, _ text: String = "yes", for timeToLive: Int64 = 1_000_000) async throws -> [UInt8] {
        let job = NewJob.with(.asking(name)) {
            $0.useCache = false
            $0.priority = 1
        }
        try await f.add(job)
        _ = try await f.complete(f.one(), text, cacheFor: timeToLive)
        return job.digest
    }

    @Test func entriesAreKeptAndForgotten() async throws {
        try await withStore { f in
            let digest = try await keep(f, "a", "one", for: 500)
            let found = try #require(try f.store.cache.reply(digest))
            #expect(found.reply.contains("one") && found.target == "local/m" && found.cost == 0.25 && found.inputTokens == 10)
            let first = try f.store.cache.statistics()
            #expect(first.entries == 1 && first.bytes > 0)
            // The newer replaces it, and serves longer.
            f.clock.wall += 400
            try await keep(f, "a", "two is longer", for: 500)
            #expect(try f.store.cache.statistics().entries == 1)
            #expect(try f.store.cache.statistics().bytes == first.bytes + 10)
            f.clock.wall += 499
            #expect(try f.store.cache.reply(digest)?.reply.contains("two") == true)
            f.clock.wall += 1
            #expect(try f.store.cache.reply(digest) == nil)
            #expect(try await f.store.cache.delete(digest))
            #expect(try await f.store.cache.delete(digest) == false)
            #expect(try f.store.cache.statistics() == CacheStatistics(entries: 0, bytes: 0, hits: 0, misses: 0))
        }
    }

    @Test func summaries() async throws {
        try await withStore { f in
            let one = try await keep(f, "a")
            f.clock.wall += 1
            let two = try await keep(f, "b")
            #expect(try f.store.cache.entries(limit: 10).map(\.digest) == [two, one])
            #expect(try f.store.cache.entries(limit: 1).map(\.digest) == [two])
            f.clock.wall += 1
            try await f.add("a")
            let first = try #require(try f.store.cache.entries(limit: 1).first)
            #expect(first.digest == one && first.hits == 1 && first.lastUsedAt == f.clock.wall && first.createdAt == f.clock.wall - 2)
            let hex = one.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            #expect(try f.store.cache.entries(digestPrefix: hex).map(\.digest) == [one])
            #expect(try f.store.cache.entries(digestPrefix: hex.uppercased()).map(\.digest) == [one])
            #expect(try f.store.cache.entries(digestPrefix: String(hex.prefix(7))).map(\.digest) == [one])
            for nonsense in ["", "xyz", hex + "0", "' OR 1"] { #expect(try f.store.cache.entries(digestPrefix: nonsense).isEmpty) }
        }
    }

    @Test func expiredEntriesArePruned() async throws {
        try await withStore(durability: .normal) { f in
            for index in 0..<30 { try await keep(f, "\(index)", for: index < 20 ? 1_000 : 9_000) }
            f.clock.wall += 1_000
            let policy = PrunePolicy(completed: .max / 4, cancelled: .max / 4, discarded: .max / 4)
            #expect(try await f.store.maintenance.prune(policy, dryRun: true).cacheEntries == 20)
            #expect(try await f.store.maintenance.prune(policy).cacheEntries == 20)
            #expect(try f.store.cache.statistics().entries == 10)
            #expect(try await f.store.cache.clear() == 10)
            #expect(try f.store.cache.statistics().bytes == 0)
            // Their time had passed, or someone wished it.
            #expect(try f.store.cache.statistics().evictions == 0)
        }
    }

    @Test func theLeastRecentlyUsedGoFirst() async throws {
        try await withStore(durability: .normal) { f in
            var digests: [[UInt8]] = []
            for index in 0..<10 {
                f.clock.wall += 1
                digests.append(try await keep(f, "\(index)", String(repeating: "x", count: 1_000)))
            }
            let each = try f.store.cache.statistics().bytes / 10
            f.clock.wall += 1
            try await f.add("0")  // used
            f.clock.wall += 1
            try await keep(f, "1", String(repeating: "y", count: 1_000))  // answered anew
            let policy = PrunePolicy(completed: .max / 4, cancelled: .max / 4, discarded: .max / 4, maxCacheBytes: each * 4 + 1)
            #expect(try await f.store.maintenance.prune(policy).cacheEntries == 6)
            let kept = try f.store.cache.entries(limit: 100).map(\.digest)
            #expect(kept == [digests[1], digests[0], digests[9], digests[8]])
            #expect(try f.store.cache.statistics().bytes == each * 4)
            #expect(try await f.store.maintenance.prune(policy).cacheEntries == 0)
            var none = policy
            none.maxCacheBytes = 0
            #expect(try await f.store.maintenance.prune(none).cacheEntries == 4)
            #expect(try f.store.cache.statistics().evictions == 10)
        }
    }

    @Test func evictionWorksInSlices() async throws {
        try await withStore(durability: .normal) { f in
            _ = try await f.store.jobs.enqueue((0..<450).map { .asking("\($0)") })
            let jobs = try await f.claim(450)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for job in jobs { group.addTask { _ = try await f.complete(job, cacheFor: 1_000_000) } }
                try await group.waitForAll()
            }
            let policy = PrunePolicy(completed: .max / 4, cancelled: .max / 4, discarded: .max / 4, maxCacheBytes: 1_000)
            let evicted = try await f.store.maintenance.prune(policy).cacheEntries
            #expect(evicted >= 440 && evicted < 450)
            #expect(try f.store.cache.statistics().bytes <= 1_000)
        }
    }
}
