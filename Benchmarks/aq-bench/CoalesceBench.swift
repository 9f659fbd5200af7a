import AgentQueueModel
import AgentQueueStore
import AgentQueueWorker
import ArgumentParser
import CAgentQueue
import Glibc
import Logging

/// What a job costs that needs no call of its own, from the claim to the settle: CPU of the whole process, upkeep included. And how
/// long a claim takes beside many that wait for one answer.
struct CoalesceBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "coalesce")
    @Argument(help: "A folder for the databases.") var folder: String
    @Option var durability = "full"
    @Option var jobs = 20_000
    @Option var followers = 100_000
    @Option var claims = 500

    func run() async throws {
        let coalesced = try await coalesced()
        let cached = try await cached()
        let (few, many) = try await claimTimes()
        Figures.report([
            "n": .integer(Int64(jobs)), "coalesced_us": .double(coalesced), "cached_us": .double(cached), "claim_us": .double(few),
            "claim_beside_followers_us": .double(many), "ratio": .double(many / few),
        ])
    }

    private func open(_ name: String, _ durability: Durability? = nil) throws -> QueueStore {
        let durability = durability ?? Durability(rawValue: self.durability) ?? .full
        return try QueueStore(path: "\(folder)/\(name).db", options: StoreOptions(durability: durability))
    }

    // MARK: CPU of a job

    /// All ask the same, and one is called for. The answer comes when all others wait for it.
    private func coalesced() async throws -> Double {
        let store = try open("coalesced")
        try await enqueue(Array(repeating: BenchJobs.make(0), count: jobs), in: store)
        let provider = HeldProvider()
        return try await cost(in: store, provider, by: .coalesced) {
            for await _ in store.changes(of: .work) where try Self.count(.pending, in: store) == jobs - 1 { break }
            provider.answer()
        }
    }

    /// Each asks something else, whose answer came after it was enqueued.
    private func cached() async throws -> Double {
        let store = try open("cached")
        for (queue, isFill) in [("default", false), ("fill", true)] {
            let made = (0..<jobs).map { number in
                var job = BenchJobs.make(number)
                job.queue = queue
                return job
            }
            try await enqueue(made, in: store)
            if isFill { try await fill(store) }
        }
        return try await cost(in: store, HeldProvider(), by: .cache) {}
    }

    private func fill(_ store: QueueStore) async throws {
        let worker = try await store.claims.registerWorker()
        let request = ClaimRequest(
            worker: worker.id, queues: ["fill"], providers: ["instant"], slots: 500, lease: 60_000, isIdle: true)
        while true {
            let round = try await store.claims.claim(request).jobs
            guard !round.isEmpty else { break }
            try await withThrowingTaskGroup { group in
                for job in round {
                    group.addTask {
                        let result = JobResult(
                            reply: ["text": .string(String(repeating: "r", count: 200)), "finish_reason": "stop"], usage: Usage(), cost: 0,
                            answeredBy: .provider, target: job.target.description, latency: 1)
                        let cache = CacheWrite(digest: job.digest, timeToLive: 3_600_000)
                        _ = try await store.claims.settle(
                            SettleRequest(job: job, settlement: Settlement(state: .completed), result: result, cache: cache))
                    }
                }
                try await group.waitForAll()
            }
        }
        try await store.claims.unregisterWorker(worker.id)
    }

    /// µs of CPU for a job, from a worker's start until all of its queue are answered.
    private func cost(
        in store: QueueStore, _ provider: HeldProvider, by origin: AnsweredBy, _ during: @Sendable @escaping () async throws -> Void
    ) async throws -> Double {
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let configuration = WorkerConfiguration(concurrency: 64, queues: ["default"])
        let worker = Worker(store: store, providers: [provider], configuration: configuration, logger: logger)
        let upkeep = Maintainer(store: store, logger: logger)
        let wanted = try Self.count(.completed, in: store) + jobs
        let before = Self.cpu()
        try await withThrowingTaskGroup { group in
            group.addTask { try await upkeep.run() }
            group.addTask { try await worker.run() }
            try await during()
            for await _ in store.changes(of: .done) where try Self.count(.completed, in: store) == wanted { break }
            group.cancelAll()
        }
        let spent = Self.cpu() - before
        guard let last = try store.jobs.get(Int64(jobs))?.result, last.answeredBy == origin else {
            throw ValidationError("the last job was not answered by \(origin)")
        }
        store.close()
        return spent / Double(jobs) * 1e6
    }

    private static func count(_ state: JobState, in store: QueueStore) throws -> Int {
        try store.jobs.lanes().reduce(0) { $0 + $1.count(state) }
    }

    private func enqueue(_ jobs: [NewJob], in store: QueueStore) async throws {
        for start in stride(from: 0, to: jobs.count, by: 1_000) {
            _ = try await store.jobs.enqueue(Array(jobs[start..<min(start + 1_000, jobs.count)]))
        }
    }

    /// Seconds of this process, in and out of the kernel.
    private static func cpu() -> Double {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    // MARK: Claims

    /// The median claim of one job, in µs, by itself, and where others of its lane wait for an answer: in turn, and without waiting for
    /// the disk, which would drown the difference.
    private func claimTimes() async throws -> (few: Double, many: Double) {
        let lanes = try await [lane(followers: 0), lane(followers: followers)]
        var times: [[Int64]] = [[], []]
        for _ in 0..<claims {
            for (place, (store, request)) in lanes.enumerated() {
                let began = platform_monotonic_ns()
                let round = try await store.claims.claim(request)
                times[place].append(platform_monotonic_ns() - began)
                guard let job = round.jobs.first else { throw ValidationError("nothing was claimed") }
                _ = try await store.claims.settle(
                    SettleRequest(job: job, settlement: .decide(.handedBack, attempt: 1, maxAttempts: 5, backoff: 0, now: 0)))
            }
        }
        for (store, request) in lanes {
            try await store.claims.unregisterWorker(request.worker)
            store.close()
        }
        let medians = times.map { Double(Figures.percentile($0.sorted(), 50)) / 1e3 }
        return (medians[0], medians[1])
    }

    /// A database in which jobs wait for the answer of one, and others are ready.
    private func lane(followers: Int) async throws -> (QueueStore, ClaimRequest) {
        let store = try open("claims-\(followers)", .normal)
        let worker = try await store.claims.registerWorker()
        let request = ClaimRequest(worker: worker.id, queues: nil, providers: ["instant"], slots: 1, lease: 3_600_000, isIdle: false)
        try await enqueue(Array(repeating: BenchJobs.make(0), count: followers + 1), in: store)
        var leaders = 0
        while try Self.count(.available, in: store) > 0 { leaders += try await store.claims.claim(request).jobs.count }
        guard leaders == 1, try Self.count(.pending, in: store) == followers else {
            throw ValidationError("\(leaders) of \(followers + 1) identical jobs were claimed")
        }
        try await enqueue((1...1_000).map { BenchJobs.make($0) }, in: store)
        return (store, request)
    }
}
