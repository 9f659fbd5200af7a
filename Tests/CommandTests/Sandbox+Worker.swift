import JobModel
import QueueStore

/// What a worker does to jobs, done through the store: no model is asked.
extension Sandbox {
    /// Lends the store.
    func withStore<Result>(_ body: (QueueStore) async throws -> Result) async throws -> Result {
        let store = try QueueStore(path: database)
        defer { store.close() }
        return try await body(store)
    }

    /// Claims every ready job and settles it.
    ///
    /// - Parameter text: the answer to a job's canonical request; nil makes the job fail for good.
    func work(_ text: @Sendable (String) -> String? = { _ in "an answer" }) async throws {
        try await withStore { store in
            let worker = try await store.registerWorker()
            let request = ClaimRequest(
                worker: worker.id, queues: nil, providers: ["local", "local-embeddings"], slots: 1_000, lease: 60_000, isIdle: true)
            for job in try await store.claim(request).jobs {
                _ = try await store.settle(settlement(of: job, text(job.body)))
            }
            try await store.unregisterWorker(worker.id)
        }
    }

    private func settlement(of job: ClaimedJob, _ text: String?) -> SettleRequest {
        guard let text else {
            let error = JobError(attempt: job.attempt, at: 1_800_000_000_000, failure: .permanent, message: "the model said \u{1B}[31mno")
            return SettleRequest(job: job, settlement: Settlement(state: .discarded), error: error)
        }
        let reply = JSONValue.object([.init("text", .string(text)), .init("finish_reason", "stop"), .init("model", "tiny")])
        let result = JobResult(
            reply: reply, usage: Usage(inputTokens: 5, outputTokens: 7), cost: 0.25, answeredBy: .provider,
            target: job.target.description, latency: 42)
        return SettleRequest(
            job: job, settlement: Settlement(state: .completed), result: result,
            cache: CacheWrite(digest: job.digest, timeToLive: 3_600_000))
    }
}
