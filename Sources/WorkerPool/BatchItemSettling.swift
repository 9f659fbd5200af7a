import JobModel
import ModelCalls
import QueueStore
import Resilience

/// What an item of a provider's batch comes to, for its job: as after a call of its own, at the batch's price.
struct BatchItemSettling {
    let configuration: WorkerConfiguration
    /// What an answer costs, as a share of the usual price.
    let priceShare: Double

    func request(for member: BatchMember, _ outcome: Outcome, latency: Int64, now: Int64) -> SettleRequest {
        let job = member.job
        switch checked(outcome, job) {
        case .reply(let reply): return answer(job, counted(reply, for: job), latency: latency)
        case .failure(let failure): return failed(job, failure, now: now)
        }
    }

    /// The answer, if it holds what its request asked for.
    private func checked(_ outcome: Outcome, _ job: ClaimedJob) -> Outcome {
        if job.kind != .generate, case .reply(let reply) = outcome, reply.embeddings?.count != job.inputs {
            return .failure(
                ModelFailure(
                    .invalidReply, "answered with \(reply.embeddings?.count ?? 0) embeddings, not \(job.inputs)", usage: reply.usage,
                    cost: reply.cost, calls: max(1, reply.calls)))
        }
        guard case .reply(let reply) = outcome, let request = try? ModelRequest(job), let checked = StructuredCheck(of: reply, to: request)
        else { return outcome }
        return checked.outcome
    }

    private func answer(_ job: ClaimedJob, _ reply: ModelReply, latency: Int64) -> SettleRequest {
        let cost = cost(of: reply.usage, said: reply.cost, job)
        let result = JobResult(
            reply: reply.json, usage: reply.usage, cost: cost, answeredBy: .provider, target: job.target.description, latency: latency)
        var cache: CacheWrite?
        if reply.isComplete, !job.digest.isEmpty, let timeToLive = configuration.cacheTimeToLive(of: job) {
            cache = CacheWrite(digest: job.digest, timeToLive: timeToLive)
        }
        let call = CallReport(target: job.target, usage: reply.usage, cost: cost, calls: max(1, reply.calls))
        return SettleRequest(
            job: job, settlement: Settlement(state: .completed), result: result, cache: cache, call: call, policies: configuration.policies)
    }

    private func failed(_ job: ClaimedJob, _ failure: ModelFailure, now: Int64) -> SettleRequest {
        var generator = SystemRandomNumberGenerator()
        let settlement = Settlement.decide(
            .failed(failure.failure, retryAfter: failure.retryAfter), attempt: job.attempt, maxAttempts: job.maxAttempts,
            backoff: configuration.backoff.delay(afterAttempt: job.attempt, using: &generator), now: now)
        let cost = cost(of: failure.usage, said: failure.cost, job)
        let message = failure.requestID.map { "\(failure.message) (request \($0))" } ?? failure.message
        let error = JobError(
            attempt: job.attempt, at: now, failure: failure.failure, message: message, target: job.target.description, cost: cost,
            partialText: failure.partialText)
        let worst =
            failure.isMaybePaid ? configuration.policies.estimate(job.target, job.kind, job.body).worstCost * priceShare : 0
        let call = CallReport(
            target: job.target, usage: failure.usage, cost: cost, calls: failure.calls, failure: failure.failure, scope: failure.scope,
            isMaybePaid: failure.isMaybePaid, maybeCost: worst, partialText: failure.partialText)
        return SettleRequest(job: job, settlement: settlement, error: error, call: call, policies: configuration.policies)
    }

    /// What an item cost in US dollars: the provider's word, or what its tokens cost in a batch.
    private func cost(of usage: Usage, said: Double?, _ job: ClaimedJob) -> Double {
        said ?? configuration.cost(of: usage, said: nil, target: job.target) * priceShare
    }

    /// An answer whose provider does not count its tokens, where they have a price: a quarter of the bytes, as in English text.
    private func counted(_ reply: ModelReply, for job: ClaimedJob) -> ModelReply {
        guard reply.usage == Usage(), reply.cost == nil, configuration.prices[job.target.description] != nil else { return reply }
        var reply = reply
        reply.usage = Usage(inputTokens: job.body.utf8.count / 4 + 1, outputTokens: (reply.text?.utf8.count ?? 0) / 4)
        return reply
    }
}
