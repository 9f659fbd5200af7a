import AgentQueueModel
import AgentQueueStore
import AgentQueueWorker
import ArgumentParser
import CAgentQueue

/// How long an answer takes to find: in memory, and in the store.
struct CacheBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "lru")
    @OptionGroup var store: StoreOptionsGroup
    @Option(help: "Answers in memory.") var entries = 30_000
    @Option(help: "Answers in the store.") var stored = 10_000
    @Option(help: "Bytes of an answer.") var bytes = 2_048
    @Option(help: "Lookups that are timed.") var gets = 2_000_000

    func run() async throws {
        let cache = ResponseCache(maxEntries: entries, maxBytes: .max) { platform_wall_ms() }
        let digests = (0..<entries).map { BenchJobs.make($0).digest }
        for digest in digests { cache.insert(digest, reply) }
        let (entries, gets) = (entries, gets)
        // The popular tenth is asked for nine times in ten.
        func skewed(_ random: Int) -> Int { random % 10 == 0 ? random / 10 % entries : random / 10 % max(1, entries / 10) }
        let hit = time(cache, digests, gets, skewed)
        let even = time(cache, digests, gets) { $0 % entries }
        let two = await Figures.seconds {
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<2 {
                    group.addTask {
                        var chance = Chance(seed: UInt64(task))
                        for _ in 0..<gets { _ = cache.reply(digests[chance.next() % entries]) }
                    }
                }
            }
        }
        let memory = cache.statistics
        guard memory.misses == 0, memory.entries == entries else { throw ValidationError("an answer was not found: \(memory)") }
        cache.removeAll()
        let insert = await Figures.seconds { for digest in digests { cache.insert(digest, reply) } }
        let found = try await storeTimes()
        Figures.report([
            "hit_ns": .double(hit.rounded()), "gets_per_s": .double((1e9 / hit).rounded()), "even_hit_ns": .double(even.rounded()),
            "two_tasks_gets_per_s": .double((Double(gets * 2) / two).rounded()),
            "insert_ns": .double((insert * 1e9 / Double(entries)).rounded()),
            "bytes_each": .integer(memory.bytes / Int64(max(1, memory.entries))),
            "store_hit_p50_us": .double(Double(Figures.percentile(found, 50)) / 1e3),
            "store_hit_p99_us": .double(Double(Figures.percentile(found, 99)) / 1e3),
        ])
    }

    /// An answer of its own each time: texts of the same bytes would share their memory.
    private var reply: CachedReply {
        CachedReply(
            reply: String(decoding: [UInt8](repeating: 120, count: bytes), as: UTF8.self), target: BenchJobs.target.description,
            inputTokens: 50, outputTokens: 500, cost: 0.01, createdAt: 1, expiresAt: .max)
    }

    /// Nanoseconds a lookup, one after the other: the median of so many thousands, since the machine may be doing something else. A
    /// lookup's digest has just been made, so it is made anew for each.
    private func time(_ cache: ResponseCache, _ digests: [[UInt8]], _ gets: Int, _ choose: (Int) -> Int) -> Double {
        var times: [Int64] = []
        var chance = Chance(seed: 7)
        for _ in 0..<max(1, gets / 1_000) {
            let asked = (0..<1_000).map { _ in
                var digest = digests[choose(chance.next())]
                digest.reserveCapacity(33)
                return digest
            }
            let began = platform_monotonic_ns()
            for digest in asked { _ = cache.reply(digest) }
            times.append(platform_monotonic_ns() - began)
        }
        return Double(Figures.percentile(times.sorted(), 50)) / 1_000
    }

    /// How long each of some thousand lookups in the store took, in ns, sorted.
    private func storeTimes() async throws -> [Int64] {
        let store = try store.open()
        defer { store.close() }
        let worker = try await store.claims.registerWorker()
        for start in stride(from: 0, to: stored, by: 500) {
            _ = try await store.jobs.enqueue((start..<min(start + 500, stored)).map(BenchJobs.make))
            let request = ClaimRequest(worker: worker.id, queues: nil, providers: ["instant"], slots: 500, lease: 60_000, isIdle: true)
            let round = try await store.claims.claim(request)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for job in round.jobs { group.addTask { try await settle(job, in: store) } }
                try await group.waitForAll()
            }
        }
        try await store.claims.unregisterWorker(worker.id)
        var times: [Int64] = []
        for number in 0..<5_000 {
            let digest = BenchJobs.make(number * 7_919 % stored).digest
            let began = platform_monotonic_ns()
            guard try store.cache.reply(digest) != nil else { throw ValidationError("the store has lost an answer") }
            times.append(platform_monotonic_ns() - began)
        }
        return times.sorted()
    }

    private func settle(_ job: ClaimedJob, in store: QueueStore) async throws {
        let result = JobResult(
            reply: ["text": .string(String(repeating: "r", count: bytes)), "finish_reason": "stop"],
            usage: Usage(inputTokens: 50, outputTokens: 500), cost: 0, answeredBy: .provider, target: job.target.description, latency: 1)
        _ = try await store.claims.settle(
            SettleRequest(
                job: job, settlement: Settlement(state: .completed), result: result,
                cache: CacheWrite(digest: job.digest, timeToLive: 86_400_000)))
    }
}

/// Numbers without a pattern, made without the kernel: asking it each time would cool the processor's caches. (Steele's and Vigna's
/// linear congruential generator.)
private struct Chance {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> Int {
        state = state &* 0xD134_2543_DE82_EF95 &+ 1
        return Int(state >> 24)
    }
}
