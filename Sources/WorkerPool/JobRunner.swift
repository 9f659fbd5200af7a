import CPlatform
import JobModel
import Logging
import ModelCalls
import QueueStore
import Resilience

/// Runs one claimed job, from its lease to its settlement.
struct JobRunner: Sendable {
    let store: QueueStore
    let providers: [String: any ModelProvider]
    let configuration: WorkerConfiguration
    let inFlight: InFlight
    let calls: CallRegion?
    let logger: Logger
    /// Told what became of the job.
    let report: @Sendable (WorkerEvent) -> Void

    /// How long to wait before a settle that the store refused is tried again, in ms: the disk may be full, and the answer
    /// is paid for.
    private static let settleRetry: Int64 = 1_000

    /// Cache, then provider, under a deadline; then settle.
    func run(_ job: ClaimedJob) async {
        if job.isCached, await settleFromCache(job) { return }
        let slot = calls?.begin(job: job.id)
        let began = platform_monotonic_ns()
        let outcome = await answer(job)
        let latency = (platform_monotonic_ns() - began) / 1_000_000
        await settle(job, outcome, latency: latency)
        calls?.end(slot)
    }

    // MARK: Answering

    /// The provider's outcome. Stopped by ``InFlight`` for a cancel, a lost lease, the deadline or the worker's end.
    private func answer(_ job: ClaimedJob) async -> Outcome {
        guard let provider = providers[job.target.provider] else {
            return .failure(ModelFailure(.permanent, "this worker has no provider '\(job.target.provider)'"))
        }
        guard let request = try? ModelRequest(job) else {
            return .failure(ModelFailure(.permanent, "the stored request is damaged"))
        }
        let timeout = job.timeout ?? configuration.callTimeout
        let key = "aq-\(job.id)-\(job.lease.token)"
        let outcome = OutcomeBox()
        let call = Task {
            outcome.set(await provider.respond(to: [request], timeout: timeout, idempotencyKey: key).first)
        }
        inFlight.attach(call, to: job.lease)
        await withTaskCancellationHandler {
            await call.value
        } onCancel: {
            call.cancel()
        }
        return outcome.value ?? .failure(ModelFailure(.invalidReply, "the provider returned no outcome"))
    }

    // MARK: Settling

    private func settleFromCache(_ job: ClaimedJob) async -> Bool {
        do {
            guard let result = try await store.settleFromCache(job) else { return false }
            inFlight.remove(job.lease)
            report(event(job, result, answeredBy: .cache))
            return true
        } catch {
            // The provider can still answer.
            logger.warning("a cached answer could not be settled", metadata: ["job": "\(job.id)", "error": "\(error)"])
            return false
        }
    }

    private func settle(_ job: ClaimedJob, _ outcome: Outcome, latency: Int64) async {
        let request = settlement(of: job, outcome, latency: latency)
        while true {
            do {
                let result = try await store.settle(request)
                inFlight.remove(job.lease)
                var event = event(job, result, answeredBy: request.result?.answeredBy)
                event.failure = request.error?.failure
                event.message = request.error?.message
                event.latency = latency
                event.usage = request.result?.usage ?? Usage()
                event.cost = request.result?.cost ?? 0
                report(event)
                return
            } catch {
                logger.error("a job could not be settled; trying again", metadata: ["job": "\(job.id)", "error": "\(error)"])
                // As long as the process lives: what was paid for is not thrown away. If it is ended meanwhile, the job is rescued.
                do { try await Task.sleep(for: .milliseconds(Self.settleRetry)) } catch { break }
            }
        }
        inFlight.remove(job.lease)
    }

    private func settlement(of job: ClaimedJob, _ outcome: Outcome, latency: Int64) -> SettleRequest {
        let now = store.clock.wall()
        switch outcome {
        case .reply(let reply):
            let cost = configuration.prices[job.target.description]?.cost(of: reply.usage) ?? 0
            let result = JobResult(
                reply: reply.json, usage: reply.usage, cost: cost, answeredBy: .provider, target: job.target.description,
                latency: latency)
            var cache: CacheWrite?
            if job.useCache, reply.isComplete, let timeToLive = configuration.cacheTimeToLive {
                cache = CacheWrite(digest: job.digest, timeToLive: timeToLive)
            }
            return SettleRequest(job: job, settlement: Settlement(state: .completed), result: result, cache: cache)
        case .failure(let failure):
            let failure = cause(of: failure, job)
            var generator = SystemRandomNumberGenerator()
            let settlement = Settlement.decide(
                .failed(failure.failure, retryAfter: failure.retryAfter), attempt: job.attempt, maxAttempts: job.maxAttempts,
                backoff: configuration.backoff.delay(afterAttempt: job.attempt, using: &generator), now: now)
            let error = JobError(attempt: job.attempt, at: now, failure: failure.failure, message: failure.message)
            return SettleRequest(job: job, settlement: settlement, error: failure.failure == .shutdown ? nil : error)
        }
    }

    /// Why a call failed: if it was stopped, what stopped it. A provider that says "cancelled" where no one asked for that
    /// was stopped by the end of the worker's own task.
    private func cause(of failure: ModelFailure, _ job: ClaimedJob) -> ModelFailure {
        if let stopped = inFlight.reason(for: job.lease).flatMap(Self.failure(for:)) { return stopped }
        return failure.failure == .cancelled ? Self.failure(for: .shutdown) ?? failure : failure
    }

    /// What stopping a call means for its job.
    private static func failure(for reason: StopReason) -> ModelFailure? {
        switch reason {
        case .cancelled: ModelFailure(.cancelled, "cancelled while it ran")
        case .deadline: ModelFailure(.timedOut, "no answer before the deadline")
        case .shutdown: ModelFailure(.shutdown, "the worker stopped")
        case .lostLease: nil
        }
    }

    private func event(_ job: ClaimedJob, _ result: SettleResult, answeredBy: AnsweredBy?) -> WorkerEvent {
        var state: JobState?
        if case .settled(let settled) = result { state = settled }
        return WorkerEvent(
            job: job.id, target: job.target, attempt: job.attempt, state: state, answeredBy: answeredBy, failure: nil, message: nil,
            latency: 0, usage: Usage(), cost: 0)
    }
}
