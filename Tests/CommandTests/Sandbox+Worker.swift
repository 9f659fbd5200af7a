import AgentQueueModel
import AgentQueueStore
import Testing

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
            let worker = try await store.claims.registerWorker()
            let request = ClaimRequest(
                worker: worker.id, queues: nil, providers: ["local", "local-embeddings"], slots: 1_000, lease: 60_000, isIdle: true)
            for job in try await store.claims.claim(request).jobs {
                _ = try await store.claims.settle(settlement(of: job, text(job.body)))
            }
            try await store.claims.unregisterWorker(worker.id)
        }
    }

    /// Claims ready jobs and has the call of each fail, one after the other.
    ///
    /// - Parameter failure: what the call of a job came to; its `failure` decides what becomes of the job.
    /// - Returns: how many jobs were claimed.
    @discardableResult
    func fail(
        _ message: String, slots: Int = 1_000, _ failure: @Sendable (ClaimedJob) -> CallReport
    ) async throws -> Int {
        try await withStore { store in
            let worker = try await store.claims.registerWorker()
            let jobs = try await claim(store, as: worker.id, slots: slots)
            for job in jobs {
                let call = failure(job)
                let kind = try #require(call.failure)
                let settlement = Settlement.decide(
                    .failed(kind), attempt: job.attempt, maxAttempts: job.maxAttempts, backoff: 1_000, now: 1_800_000_000_000)
                let error = JobError(attempt: job.attempt, at: 1_800_000_000_000, failure: kind, message: message)
                let settled = try await store.claims.settle(SettleRequest(job: job, settlement: settlement, error: error, call: call))
                #expect(settled == .settled(settlement.state))
            }
            try await store.claims.unregisterWorker(worker.id)
            return jobs.count
        }
    }

    /// Enqueues a job, claims it, and lends it with the store and the worker's number.
    func withRunningJob(_ body: (QueueStore, _ worker: Int64, ClaimedJob) async throws -> Void) async throws {
        let ending = try await run("enqueue", "question")
        try #require(ending.status == 0, "\(ending.error)")
        try await withStore { store in
            let worker = try await store.claims.registerWorker()
            let job = try #require(try await claim(store, as: worker.id).first)
            try await body(store, worker.id, job)
        }
    }

    /// Claims ready jobs.
    func claim(_ store: QueueStore, as worker: Int64, slots: Int = 1_000) async throws -> [ClaimedJob] {
        try await store.claims.claim(
            ClaimRequest(
                worker: worker, queues: nil, providers: ["local", "local-embeddings"], slots: slots, lease: 60_000, isIdle: true)
        ).jobs
    }

    /// What ends a job's attempt: an answer, or, for nil, a failure for good.
    func settlement(of job: ClaimedJob, _ text: String?) -> SettleRequest {
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
