import AgentQueueModel
import AgentQueueStore

/// Maps the end of an attempt, an answer or a failure, to its result, cache entry, charge, error and settlement. This is the only such
/// mapping: single calls, shared calls, memories and the items of provider batches all use it.
struct SettlementBuilder: Sendable {
    /// How the request was sent.
    enum Origin: Sendable {
        /// In a call.
        case live
        /// In a provider batch, at a fraction of the usual price. Its outcome says nothing about the provider's current state.
        case batch(priceShare: Double)
    }

    private let configuration: WorkerConfiguration
    private let origin: Origin
    private let pricing: CallPricing

    init(_ configuration: WorkerConfiguration, origin: Origin = .live) {
        self.configuration = configuration
        self.origin = origin
        var pricing = CallPricing(prices: configuration.prices)
        if case .batch(let share) = origin { pricing.batchShare = share }
        self.pricing = pricing
    }

    /// Ends an attempt.
    /// - Parameter now: the wall clock, in ms.
    func end(_ call: JobCall, _ attempt: Attempt, now: Int64) -> EndedCall {
        var request =
            switch attempt.outcome {
            case .reply(let reply): answered(call, reply, latency: attempt.latency, now: now)
            case .failure(let failure): failed(call, charged(failure, attempt, call.job), now: now)
            }
        request.sent = call.sentBody
        return EndedCall(call: call, attempt: attempt, request: request)
    }

    /// Ends the attempt of a `memorize` job that needed no call.
    func endWithoutCall(_ call: JobCall, now: Int64) -> EndedCall {
        let result = JobResult(
            reply: ModelReply().json, usage: Usage(), cost: 0, answeredBy: .cache, target: call.job.route.description, latency: 0)
        var request = SettleRequest(
            job: call.job, settlement: Settlement(state: .completed), result: result, policies: configuration.policies)
        if let plan = call.plan { remember(plan, in: &request, now: now) }
        return EndedCall(call: call, attempt: Attempt(.reply(ModelReply()), latency: 0), request: request)
    }

    // MARK: Answers

    private func answered(_ call: JobCall, _ reply: ModelReply, latency: Int64, now: Int64) -> SettleRequest {
        let job = call.job
        let reply = pricing.counted(reply, target: job.route, bytes: job.body.utf8.count)
        let report = report(reply, job)
        var stored = reply
        // The vectors are stored with the memories.
        if call.plan != nil { stored.embeddings = nil }
        let result = JobResult(
            reply: stored.json, usage: reply.usage, cost: report.cost, answeredBy: job.route == job.target ? .provider : .fallback,
            target: job.route.description, latency: latency)
        var request = SettleRequest(
            job: job, settlement: Settlement(state: .completed), result: result, call: report, policies: configuration.policies)
        switch call.memory {
        case .none:
            request.cache = cacheEntry(for: job, reply, now: now)
        case .used(let used):
            request.cache = cacheEntry(for: job, reply, now: now)
            request.notes = used.notes
            request.next = used.next(of: job, text: Self.remembered(reply, call.schema), configuration.memory)
        case .memorize(let plan):
            remember(plan, in: &request, now: now)
            request.rescued = rescued(plan, reply.embeddings ?? [], result, now: now)
        }
        return request
    }

    /// The part of an answer that is worth remembering: without the thinking beside a value that was asked for.
    private static func remembered(_ reply: ModelReply, _ schema: JSONSchema?) -> String? {
        guard schema != nil, let text = reply.text else { return reply.text }
        // Calls of tools come without a value.
        return (try? ReplyValue(in: text))?.text ?? text
    }

    private func cacheEntry(for job: ClaimedJob, _ reply: ModelReply, now: Int64) -> CacheWrite? {
        guard reply.isComplete, !job.answerDigest.isEmpty, let timeToLive = configuration.cacheTimeToLive(of: job) else { return nil }
        return CacheWrite(digest: job.answerDigest, timeToLive: timeToLive, createdAt: now)
    }

    private func remember(_ plan: MemorizePlan, in request: inout SettleRequest, now: Int64) {
        if let vectors = plan.spaceVectors {
            request.spaceVectors = vectors
        } else {
            let retention = configuration.memory?.retention(of: plan.order.namespace)
            request.memories = MemoryWrite(
                plan.memories(now: now, retention: retention), in: plan.order.namespace,
                model: plan.makesVectors ? plan.model : nil, known: plan.done)
        }
    }

    /// Cache entries for the vectors of a call, written only if the fence refuses the settlement, for the worker that has the job then.
    private func rescued(_ plan: MemorizePlan, _ vectors: [[Float]], _ result: JobResult, now: Int64) -> [CacheableAnswer] {
        guard plan.order.usesCache, let timeToLive = configuration.cacheTimeToLive else { return [] }
        return zip(plan.brought, vectors).map { place, vector in
            var result = result
            result.reply = ModelReply(embeddings: [vector]).json
            return CacheableAnswer(entry: CacheWrite(digest: plan.digests[place], timeToLive: timeToLive, createdAt: now), result: result)
        }
    }

    // MARK: Failures

    /// An invalid answer costs the same as a valid one.
    private func charged(_ failure: ModelFailure, _ attempt: Attempt, _ job: ClaimedJob) -> ModelFailure {
        guard attempt.isMismatch, case .reply(let reply) = attempt.answer else { return failure }
        var failure = failure
        failure.usage = pricing.counted(reply, target: job.route, bytes: job.body.utf8.count).usage
        return failure
    }

    private func failed(_ call: JobCall, _ failure: ModelFailure, now: Int64) -> SettleRequest {
        let job = call.job
        var generator = SystemRandomNumberGenerator()
        // What may have been charged counts in any case, or a job whose calls time out would be paid for without end.
        let settlement = Settlement.decide(
            .failed(failure.failure, retryAfter: failure.retryAfter),
            isProbe: job.isProbe && failure.wasSent && !failure.isMaybePaid, attempt: job.attempt, maxAttempts: job.maxAttempts,
            backoff: configuration.backoff.delay(afterAttempt: job.attempt, using: &generator), now: now)
        let report = report(failure, job)
        // The provider's support asks for the id.
        let message = failure.requestID.map { "\(failure.message) (request \($0))" } ?? failure.message
        var error = JobError(
            attempt: job.attempt, at: now, failure: failure.failure, message: message, target: job.route.description, cost: report.cost,
            partialText: failure.partialText)
        error.answer = failure.answer
        var request = SettleRequest(
            job: job, settlement: settlement, error: failure.failure == .shutdown ? nil : error, call: report,
            policies: configuration.policies)
        if let plan = call.plan, settlement.state == .discarded { request.next = plan.halves }
        return request
    }

    // MARK: Reports

    private func report(_ reply: ModelReply, _ job: ClaimedJob) -> CallReport {
        var report = pricing.report(reply, target: job.route)
        if case .batch = origin { report.limits = nil }
        return report
    }

    private func report(_ failure: ModelFailure, _ job: ClaimedJob) -> CallReport {
        let worst = failure.isMaybePaid ? configuration.policies.estimate(job.route, job.kind, job.body).knownCost : 0
        var report = pricing.report(failure, target: job.route, worst: worst)
        if case .batch = origin { (report.retryAfter, report.limits, report.wasSent) = (nil, nil, true) }
        return report
    }
}
