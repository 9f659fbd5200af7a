import ArgumentParser
import CPlatform
import JobModel
import QueueStore

/// How long a claim of one job takes.
struct ClaimBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "claim")
    @OptionGroup var store: StoreOptionsGroup
    @Option var claims = 500
    @Option var provider = "instant"

    func run() async throws {
        let store = try store.open()
        let worker = try await store.registerWorker()
        var times: [Int64] = []
        for _ in 0..<claims {
            let request = ClaimRequest(worker: worker.id, queues: nil, providers: [provider], slots: 1, lease: 3_600_000, isIdle: true)
            let began = platform_monotonic_ns()
            let round = try await store.claim(request)
            times.append(platform_monotonic_ns() - began)
            guard let job = round.jobs.first else { break }
            _ = try await store.settle(
                SettleRequest(job: job, settlement: .decide(.handedBack, attempt: 1, maxAttempts: 5, backoff: 0, now: 0)))
        }
        try await store.unregisterWorker(worker.id)
        store.close()
        times.sort()
        Figures.report([
            "n": .integer(Int64(times.count)), "p50_us": .double(Double(Figures.percentile(times, 50)) / 1e3),
            "p99_us": .double(Double(Figures.percentile(times, 99)) / 1e3),
        ])
    }
}
