import ArgumentParser
import JobModel
import QueueStore

/// Claim and settle with so many jobs in flight: each settles by itself, and a slot that is free is claimed for again.
struct SettleBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "settle")
    @OptionGroup var store: StoreOptionsGroup
    @Option var inFlight = 64
    @Option var jobs = 60_000

    func run() async throws {
        let store = try store.open()
        for start in stride(from: 0, to: jobs, by: 1_000) {
            _ = try await store.enqueue((start..<min(start + 1_000, jobs)).map(BenchJobs.make))
        }
        let worker = try await store.registerWorker()
        var done = 0
        let inFlight = inFlight
        let seconds = try await Figures.seconds {
            try await withThrowingTaskGroup(of: Void.self) { group in
                var running = 0
                while true {
                    let request = ClaimRequest(
                        worker: worker.id, queues: nil, providers: ["instant"], slots: inFlight - running, lease: 30_000,
                        isIdle: running == 0)
                    let round = try await store.claim(request)
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
        try await store.unregisterWorker(worker.id)
        store.close()
        Figures.report(["n": .integer(Int64(done)), "secs": .double(seconds), "per_s": .double((Double(done) / seconds).rounded())])
    }

    static func settle(_ job: ClaimedJob, _ store: QueueStore) async throws {
        let result = JobResult(
            reply: ["text": .string(String(repeating: "r", count: 200)), "finish_reason": "stop"],
            usage: Usage(inputTokens: 50, outputTokens: 50), cost: 0, answeredBy: .provider, target: job.target.description, latency: 1)
        _ = try await store.settle(SettleRequest(job: job, settlement: Settlement(state: .completed), result: result))
    }
}
