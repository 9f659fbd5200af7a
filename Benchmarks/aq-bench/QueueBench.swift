import AgentQueueModel
import AgentQueueStore
import ArgumentParser
import CAgentQueue
import Synchronization

/// Single enqueues from many tasks at once: what group commit is worth.
struct EnqueueBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "enqueue")
    @OptionGroup var store: StoreOptionsGroup
    @Option var tasks = 64
    @Option var jobs = 60_000

    func run() async throws {
        let store = try store.open()
        let tickets = Tickets(jobs)
        let jobs = jobs
        let seconds = try await Figures.seconds {
            try await withThrowingTaskGroup { group in
                for _ in 0..<tasks {
                    group.addTask {
                        while let number = tickets.take() {
                            _ = try await store.jobs.enqueue(BenchJobs.make(number))
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        store.close()
        Figures.report(["n": .integer(Int64(jobs)), "secs": .double(seconds), "per_s": .double((Double(jobs) / seconds).rounded())])
    }
}

/// How long a claim of one job takes.
struct ClaimBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "claim")
    @OptionGroup var store: StoreOptionsGroup
    @Option var claims = 500
    @Option var provider = "instant"

    func run() async throws {
        let store = try store.open()
        let worker = try await store.claims.registerWorker()
        var times: [Int64] = []
        for _ in 0..<claims {
            let request = ClaimRequest(worker: worker.id, queues: nil, providers: [provider], slots: 1, lease: 3_600_000, isIdle: true)
            let began = platform_monotonic_ns()
            let round = try await store.claims.claim(request)
            times.append(platform_monotonic_ns() - began)
            guard let job = round.jobs.first else { break }
            _ = try await store.claims.settle(
                SettleRequest(job: job, settlement: .decide(.handedBack, attempt: 1, maxAttempts: 5, backoff: 0, now: 0)))
        }
        try await store.claims.unregisterWorker(worker.id)
        store.close()
        times.sort()
        Figures.report([
            "n": .integer(Int64(times.count)), "p50_us": .double(Double(Figures.percentile(times, 50)) / 1e3),
            "p99_us": .double(Double(Figures.percentile(times, 99)) / 1e3),
        ])
    }
}

/// Claim and settle with so many jobs in flight: each settles by itself, and a slot that is free is claimed for again.
struct SettleBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "settle")
    @OptionGroup var store: StoreOptionsGroup
    @Option var inFlight = 64
    @Option var jobs = 60_000

    func run() async throws {
        let store = try store.open()
        for start in stride(from: 0, to: jobs, by: 1_000) {
            _ = try await store.jobs.enqueue((start..<min(start + 1_000, jobs)).map(BenchJobs.make))
        }
        let worker = try await store.claims.registerWorker()
        var done = 0
        let inFlight = inFlight
        let seconds = try await Figures.seconds {
            try await withThrowingTaskGroup(of: Void.self) { group in
                var running = 0
                while true {
                    let request = ClaimRequest(
                        worker: worker.id, queues: nil, providers: ["instant"], slots: inFlight - running, lease: 30_000,
                        isIdle: running == 0)
                    let round = try await store.claims.claim(request)
                    for job in round.jobs { group.addTask { try await Self.settle(job, store) } }
                    running += round.jobs.count
                    guard running > 0 else { return }
                    // All that have ended by now, and at least half of them: a claim for one slot would be a waste.
                    var freed = 0
                    while freed < max(1, running / 2), try await group.next() != nil { freed += 1 }
                    running -= freed
                    done += freed
                }
            }
        }
        try await store.claims.unregisterWorker(worker.id)
        store.close()
        Figures.report(["n": .integer(Int64(done)), "secs": .double(seconds), "per_s": .double((Double(done) / seconds).rounded())])
    }

    static func settle(_ job: ClaimedJob, _ store: QueueStore) async throws {
        let result = JobResult(
            reply: ["text": .string(String(repeating: "r", count: 200)), "finish_reason": "stop"],
            usage: Usage(inputTokens: 50, outputTokens: 50), cost: 0, answeredBy: .provider, target: job.target.description, latency: 1)
        _ = try await store.claims.settle(SettleRequest(job: job, settlement: Settlement(state: .completed), result: result))
    }
}

/// Jobs like those of the yardstick.
enum BenchJobs {
    static let target = Target(provider: "instant", model: "echo")

    /// A job with a prompt of about 200 bytes, each its own request, through the same canonical form and digest as a user's.
    static func make(_ number: Int) -> NewJob {
        let prompt = String(number) + String(repeating: "x", count: 190)
        let request = ModelRequest(
            kind: .generate, target: target, body: ["messages": [["role": "user", "content": .string(prompt)]]])
        let (body, digest) = request.sealed(identity: "instant")
        return NewJob(kind: .generate, target: target, body: body, digest: digest)
    }
}

/// Numbers from 0, each given out once.
final class Tickets: Sendable {
    private let next = Atomic<Int>(0)
    private let count: Int

    init(_ count: Int) { self.count = count }

    /// The next number; nil when all are given out.
    func take() -> Int? {
        let number = next.add(1, ordering: .relaxed).oldValue
        return number < count ? number : nil
    }
}
