import AgentQueueModel
import AgentQueueStore
import CAgentQueue
import Logging

/// Runs one claimed job, from its lease to its settlement.
struct JobRunner: Sendable {
    let store: QueueStore
    let providers: [String: any ModelProvider]
    let configuration: WorkerConfiguration
    /// Answers kept in memory in front of the store.
    let cache: ResponseCache?
    /// Answers to near prompts.
    let semantic: SemanticCache?
    /// Finds what goes into prompts; nil where the worker has nothing to do with memories.
    var recaller: Recaller?
    let inFlight: InFlight
    let calls: CallRegion?
    let logger: Logger
    /// Told what became of the job.
    let report: @Sendable (WorkerEvent) -> Void
    /// What the jobs of the call have to do with memories.
    var memory = MemoryWork()
    /// Decides what runs do next when their steps end here; nil where that is left to others.
    var planner: (any RunPlanner)?

    /// How long to wait before a settle that the store refused is tried again, in ms: the disk may be full, and the answer
    /// is paid for.
    static let settleRetry: Int64 = 1_000

    /// How much of a bad answer the model is shown again, in bytes: it is paid for once more.
    private static let repairBytes = 8 << 10

    /// Runs the jobs of one call.
    func run(_ jobs: [ClaimedJob]) async {
        defer { inFlight.endCall() }
        if jobs[0].kind == .memorize {
            await runMemorize(jobs)
        } else if jobs.count == 1 {
            await run(jobs[0])
        } else {
            await runTogether(jobs)
        }
    }

    /// Cache, then provider, under a deadline; where the provider is at fault, its fallbacks; then settle.
    private func run(_ job: ClaimedJob) async {
        var job = routed(job)
        if job.isCached {
            if await !settleFromCache(job) { await handBack(job) }
            return
        }
        let slot = calls?.begin(job: job.id)
        defer { calls?.end(slot) }
        guard let use = memoryUse(of: job) else { return await call(job) }
        switch await prepared(job, use) {
        case .success((let prepared, let used)):
            var runner = self
            runner.memory.used[job.id] = used
            job = prepared
            if job.isCached, await runner.settleFromCache(job) { return }
            await runner.call(job)
        case .failure(let failure):
            await settle(job, Attempt(outcome: cause(of: .failure(failure), job), latency: 0))
        }
    }

    /// Calls for one job, and settles it.
    private func call(_ job: ClaimedJob) async {
        var job = job
        var lookup = await lookup(for: job)
        if let match = lookup?.match {
            if await settle(job, from: match) { return }
            lookup = nil
        }
        var call = 1
        while true {
            let attempt = await attempt(job, call)
            guard let next = await reroute(job, attempt, settlement(of: job, attempt)) else {
                await settle(job, attempt)
                if let lookup, let semantic, job.route == job.target { await semantic.remember(lookup, digest: job.answerDigest) }
                break
            }
            job = routed(next)
            call += 1
            if job.isCached, await settleFromCache(job) { break }
        }
    }

    // MARK: Near prompts

    /// What earlier prompts are near a job's, where that is asked for. The embedding is charged to the job.
    private func lookup(for job: ClaimedJob) async -> SemanticLookup? {
        // The memories in a prompt would count as its meaning.
        guard let semantic, let policy = configuration.semantic, job.kind == .generate, job.useCache, job.route == job.target,
            memory.used[job.id] == nil,
            policy.holds(for: job.target), let provider = providers[job.route.provider], let request = try? ModelRequest(job)
        else { return nil }
        let embedding = LockedValue<Outcome?>(nil)
        // Whatever stops the job stops this too; its own call takes the place.
        let lookup = await inFlight.run(for: [job.lease]) {
            await semantic.match(request, identity: provider.identity) { embedding.value = $0 }
        }
        guard let outcome = embedding.value else { return lookup }
        do {
            var message = ""
            if case .failure(let failure) = outcome { message = failure.message }
            try await store.charge(report(of: outcome, policy.model), message, besides: job)
        } catch {
            logger.warning("an embedding could not be charged", metadata: ["job": "\(job.id)", "error": "\(error)"])
        }
        return lookup
    }

    private func report(of outcome: Outcome, _ model: Target) -> CallReport {
        switch outcome {
        case .reply(let reply):
            CallReport(
                target: model, usage: reply.usage, cost: configuration.cost(of: reply.usage, said: reply.cost, target: model),
                calls: max(1, reply.calls), limits: reply.limits)
        case .failure(let failure):
            CallReport(
                target: model, usage: failure.usage, cost: configuration.cost(of: failure.usage, said: failure.cost, target: model),
                calls: failure.calls, failure: failure.failure, retryAfter: failure.retryAfter, scope: failure.scope,
                limits: failure.limits,
                isMaybePaid: failure.isMaybePaid, wasSent: failure.wasSent)
        }
    }

    private func settle(_ job: ClaimedJob, from match: SemanticMatch) async -> Bool {
        do {
            let result = try await advancing(job, text(of: match.reply).map { .completed(text: $0) }) { [store] advance in
                try await store.settle(job, from: match, advance: advance)
            }
            guard let result else { return false }
            inFlight.remove(job.lease)
            report(event(job, result, answeredBy: .cache))
            return true
        } catch {
            logger.warning("a near prompt's answer could not be settled", metadata: ["job": "\(job.id)", "error": "\(error)"])
            return false
        }
    }

    /// A job that goes to another target than its own is answered from, and kept in, the cache under what is really asked.
    func routed(_ job: ClaimedJob) -> ClaimedJob {
        guard job.route != job.target, var request = try? ModelRequest(job), let provider = providers[job.route.provider] else {
            return job
        }
        var job = job
        request.target = job.route
        job.answerDigest = request.digest(identity: provider.identity)
        // The claim has looked for the job's own target only; a cache that cannot be read answers nothing.
        job.cachedAt = job.useCache ? (try? store.cachedReply(job.answerDigest))?.createdAt : nil
        return job
    }

    // MARK: Answering

    /// One call for the job, made or found to be needless.
    /// - Parameter call: its number within the attempt, from 1.
    private func attempt(_ job: ClaimedJob, _ call: Int) async -> Attempt {
        let began = platform_monotonic_ns()
        func ended(_ outcome: Outcome, isMismatch: Bool = false) -> Attempt {
            Attempt(outcome: outcome, latency: (platform_monotonic_ns() - began) / 1_000_000, isMismatch: isMismatch)
        }
        func failed(_ sentence: String) -> Attempt { ended(.failure(ModelFailure.unsent(sentence))) }
        guard let provider = providers[job.route.provider] else { return failed("this worker has no provider '\(job.route.provider)'") }
        guard let request = try? request(for: job) else { return failed("the stored request is damaged") }
        guard inFlight.reason(for: job.lease) == nil else { return ended(cause(of: .failure(Self.notStarted), job)) }
        sayCalling(job, request)
        let outcome = cause(of: await answer(job, request, provider, call), job)
        sayAnswered(job, outcome)
        guard case .reply(let reply) = outcome, let checked = StructuredCheck(of: reply, to: request) else { return ended(outcome) }
        return ended(checked.outcome, isMismatch: checked.isMismatch)
    }

    /// A call that was stopped before it began.
    static let notStarted: ModelFailure = {
        var failure = ModelFailure(.cancelled, "stopped before it began")
        failure.wasSent = false
        return failure
    }()

    /// What is called, without what is asked: names of parameters, and sizes.
    func sayCalling(_ job: ClaimedJob, _ request: ModelRequest) {
        logger.debug(
            "job \(job.id): calling \(job.route)",
            metadata: [
                "attempt": "\(job.attempt)", "kind": "\(job.kind.rawValue)", "bytes": "\(job.body.utf8.count)",
                "messages": "\(request.body["messages"]?.array?.count ?? 0)",
                "parameters": "\((request.body.members ?? []).map(\.key).sorted().joined(separator: ","))",
                "timeout_ms": "\(job.timeout ?? configuration.callTimeout)", "probe": "\(job.isProbe)", "streamed": "\(job.isStreamed)",
            ])
    }

    func sayAnswered(_ job: ClaimedJob, _ outcome: Outcome) {
        switch outcome {
        case .reply(let reply):
            logger.debug(
                "job \(job.id): \(job.route) answered",
                metadata: [
                    "request_id": "\(reply.requestID ?? "-")", "finish_reason": "\(reply.finishReason ?? "-")", "calls": "\(reply.calls)",
                    "input_tokens": "\(reply.usage.inputTokens)", "output_tokens": "\(reply.usage.outputTokens)",
                ])
        case .failure(let failure):
            logger.debug(
                "job \(job.id): \(job.route) failed",
                metadata: [
                    "request_id": "\(failure.requestID ?? "-")", "class": "\(failure.failure.rawValue)",
                    "retry_after_ms": "\(failure.retryAfter.map(String.init) ?? "-")", "maybe_paid": "\(failure.isMaybePaid)",
                ])
        }
    }

    /// The request as it is sent: the stored one, to where it goes now, with what the last answer did wrong.
    func request(for job: ClaimedJob) throws -> ModelRequest {
        if let plan = memory.plans[job.id] { return plan.request }
        var request = try ModelRequest(job)
        request.target = job.route
        guard job.kind == .generate else { return request }
        if let limit = configuration.maxOutputTokens[job.route.description] { request.limitOutput(to: limit) }
        if job.attempt > 1, let schema = request.schema, let last = try? store.lastInvalidReply(of: job.id) {
            let previous = String(decoding: last.partial.utf8.prefix(Self.repairBytes), as: UTF8.self)
            request.appendMessages(StructuredReply(schema).repairMessages(previous: previous, complaint: last.message))
        }
        return request
    }

    /// The provider's outcome. Stopped by ``InFlight`` for a cancel, a lost lease, the deadline or the worker's end.
    private func answer(_ job: ClaimedJob, _ request: ModelRequest, _ provider: any ModelProvider, _ call: Int) async -> Outcome {
        let stream = job.isStreamed ? ReplyStream() : nil
        var options = CallOptions(
            timeout: job.timeout ?? configuration.callTimeout,
            // A fallback is asked something else: the same key would bring it the first one's failure.
            idempotencyKey: "aq-\(job.id)-\(job.lease.token)" + (call == 1 ? "" : "-call\(call)"))
        if let stream { options.onText = { stream.add($0) } }
        let outcome = await inFlight.run(for: [job.lease], meanwhile: { await stream?.pump(job.lease, to: store) }) { [options] in
            defer { stream?.finish() }
            return await provider.respond(to: [request], options).first
        }
        return outcome ?? .failure(ModelFailure(.invalidReply, "the provider returned no outcome"))
    }

    /// Why a call failed: if it was stopped, what stopped it. A provider that says "cancelled" where no one asked for that
    /// was stopped by the end of the worker's own task.
    func cause(of outcome: Outcome, _ job: ClaimedJob) -> Outcome {
        guard case .failure(var failure) = outcome else { return outcome }
        let reason = inFlight.reason(for: job.lease)
        let stopped = reason.flatMap(Self.cause) ?? (failure.failure == .cancelled ? Self.cause(.shutdown) : nil)
        guard let stopped else { return outcome }
        // What the call may have cost stays true, whatever stopped it.
        (failure.failure, failure.message, failure.retryAfter) = (stopped.failure, stopped.message, nil)
        return .failure(failure)
    }

    /// What stopping a call means for its job.
    private static func cause(_ reason: StopReason) -> (failure: FailureClass, message: String)? {
        switch reason {
        case .cancelled: (.cancelled, "cancelled while it ran")
        case .deadline: (.timedOut, "no answer before the deadline")
        case .shutdown: (.shutdown, "the worker stopped")
        case .lostLease: nil
        }
    }

    // MARK: Falling back

    /// The job with the next target that may answer in place of the one that failed, on record; nil where none may.
    /// - Parameter request: how the failed call is recorded.
    func reroute(_ job: ClaimedJob, _ attempt: Attempt, _ request: @autoclosure () -> SettleRequest) async -> ClaimedJob? {
        guard case .failure(let failure) = attempt.outcome, !attempt.isMismatch, job.kind != .memorize,
            let route = configuration.policies.routes[job.target.description], inFlight.reason(for: job.lease) == nil
        else { return nil }
        let wait = failure.retryAfter ?? configuration.backoff.base
        let candidates = Fallback.candidates(of: route, after: job.route, failure.failure, wait: wait)
        guard !candidates.isEmpty else { return nil }
        do {
            let next = try await store.reroute(request(), to: candidates)
            guard let next else { return nil }
            inFlight.extend(next.lease, to: configuration.deadline(of: next, now: platform_monotonic_ns()))
            logger.info(
                "job \(job.id): \(job.route) failed, asking \(next.route)", metadata: ["class": "\(failure.failure.rawValue)"])
            return next
        } catch {
            logger.warning("a fallback could not be reserved", metadata: ["job": "\(job.id)", "error": "\(error)"])
            return nil
        }
    }

    // MARK: Settling

    /// What the cache answers: from memory, or else from the store; nil where it is gone.
    private func cachedReply(for job: ClaimedJob) throws -> CachedReply? {
        if let reply = cache?.reply(job.answerDigest, version: job.cachedAt) { return reply }
        guard let reply = try store.cachedReply(job.answerDigest) else { return nil }
        cache?.insert(job.answerDigest, reply)
        return reply
    }

    /// Keeps an answer in memory that was paid for, and that the store has now.
    private func keep(_ request: SettleRequest) {
        guard let cache, let entry = request.cache, let createdAt = entry.createdAt, let result = request.result else { return }
        cache.insert(
            entry.digest,
            CachedReply(
                reply: result.reply.text, target: result.target, inputTokens: result.usage.inputTokens,
                outputTokens: result.usage.outputTokens, cost: result.cost, createdAt: createdAt, expiresAt: createdAt + entry.timeToLive))
    }

    func settleFromCache(_ job: ClaimedJob) async -> Bool {
        do {
            guard let known = try cachedReply(for: job) else { return false }
            let used = memory.used[job.id]
            let text = used?.use.remember == nil ? nil : text(of: known)
            let settled = try await advancing(job, self.text(of: known).map { .completed(text: $0) }) { [store] advance in
                try await store.settleFromCache(
                    job, known: known, notes: used?.notes ?? [], next: next(of: job, text: text), advance: advance)
            }
            guard let result = settled else { return false }
            inFlight.remove(job.lease)
            report(event(job, result, answeredBy: .cache))
            return true
        } catch {
            // The provider can still answer.
            logger.warning("a cached answer could not be settled", metadata: ["job": "\(job.id)", "error": "\(error)"])
            return false
        }
    }

    private func text(of cached: CachedReply) -> String? { (try? JSONValue.parse(cached.reply))?["text"]?.string }

    private func settle(_ job: ClaimedJob, _ attempt: Attempt) async {
        let request = settlement(of: job, attempt)
        while true {
            do {
                tell(request, try await settleStep(request), attempt)
                return
            } catch {
                logger.error("a job could not be settled; trying again", metadata: ["job": "\(job.id)", "error": "\(error)"])
                // As long as the process lives: what was paid for is not thrown away. If it is ended meanwhile, the job is rescued.
                do { try await Task.sleep(for: .milliseconds(Self.settleRetry)) } catch { break }
            }
        }
        inFlight.remove(job.lease)
    }

    /// A claim counted on the cache, whose answer is gone: the job has no flight, and nothing is set aside for a call of its own. The
    /// next claim knows.
    func handBack(_ job: ClaimedJob) async {
        var failure = Self.notStarted
        failure.failure = .shutdown
        await settle(job, Attempt(outcome: .failure(failure), latency: 0))
    }

    /// Reports what a settlement came to.
    func tell(_ request: SettleRequest, _ result: SettleResult, _ attempt: Attempt) {
        // One that left the call it shared was told of then.
        let isNews = inFlight.holds(request.job.lease)
        inFlight.remove(request.job.lease)
        keep(request)
        guard isNews else { return }
        var event = event(request.job, result, answeredBy: request.result?.answeredBy)
        event.failure = request.error?.failure
        // What is wrong with an answer quotes it, and no log holds answers.
        event.message = attempt.isMismatch ? "the answer does not fit its schema" : request.error?.message
        event.latency = attempt.latency
        event.usage = request.call?.usage ?? Usage()
        event.cost = request.call?.cost ?? 0
        report(event)
    }

    func settlement(of job: ClaimedJob, _ attempt: Attempt) -> SettleRequest {
        switch attempt.outcome {
        case .reply(let reply):
            if let plan = memory.plans[job.id] { return settlement(of: plan, counted(reply, for: job), attempt) }
            return settlement(of: job, reply, attempt)
        case .failure(let failure):
            var request = settlement(of: job, failure)
            if let plan = memory.plans[job.id], request.settlement.state == .discarded { request.next = plan.halves }
            return request
        }
    }

    private func settlement(of job: ClaimedJob, _ reply: ModelReply, _ attempt: Attempt) -> SettleRequest {
        let reply = counted(reply, for: job)
        let cost = configuration.cost(of: reply.usage, said: reply.cost, target: job.route)
        let result = JobResult(
            reply: reply.json, usage: reply.usage, cost: cost, answeredBy: job.route == job.target ? .provider : .fallback,
            target: job.route.description, latency: attempt.latency)
        var cache: CacheWrite?
        if reply.isComplete, let timeToLive = configuration.cacheTimeToLive(of: job) {
            cache = CacheWrite(digest: job.answerDigest, timeToLive: timeToLive, createdAt: store.clock.wall())
        }
        let call = CallReport(target: job.route, usage: reply.usage, cost: cost, calls: max(1, reply.calls), limits: reply.limits)
        var request = SettleRequest(
            job: job, settlement: Settlement(state: .completed), result: result, cache: cache, call: call, policies: configuration.policies)
        request.notes = memory.used[job.id]?.notes ?? []
        request.next = next(of: job, text: reply.text)
        return request
    }

    /// An answer whose provider does not count its tokens, where they have a price: a quarter of the bytes, as in English text. A
    /// limit on money would else never be reached.
    private func counted(_ reply: ModelReply, for job: ClaimedJob) -> ModelReply {
        guard reply.usage == Usage(), reply.cost == nil, configuration.prices[job.route.description] != nil else { return reply }
        var reply = reply
        reply.usage = Usage(inputTokens: job.body.utf8.count / 4 + 1, outputTokens: (reply.text?.utf8.count ?? 0) / 4)
        return reply
    }

    private func settlement(of job: ClaimedJob, _ failure: ModelFailure) -> SettleRequest {
        let now = store.clock.wall()
        var generator = SystemRandomNumberGenerator()
        let settlement = Settlement.decide(
            .failed(failure.failure, retryAfter: failure.retryAfter), attempt: job.attempt, maxAttempts: job.maxAttempts,
            backoff: configuration.backoff.delay(afterAttempt: job.attempt, using: &generator), now: now)
        let cost = configuration.cost(of: failure.usage, said: failure.cost, target: job.route)
        // For the provider's support.
        let message = failure.requestID.map { "\(failure.message) (request \($0))" } ?? failure.message
        let error = JobError(
            attempt: job.attempt, at: now, failure: failure.failure, message: message, target: job.route.description, cost: cost,
            partialText: failure.partialText)
        let worst = failure.isMaybePaid ? configuration.policies.estimate(job.route, job.kind, job.body).worstCost : 0
        let call = CallReport(
            target: job.route, usage: failure.usage, cost: cost, calls: failure.calls, failure: failure.failure,
            retryAfter: failure.retryAfter, scope: failure.scope, limits: failure.limits, isMaybePaid: failure.isMaybePaid,
            maybeCost: worst, partialText: failure.partialText, wasSent: failure.wasSent)
        return SettleRequest(
            job: job, settlement: settlement, error: failure.failure == .shutdown ? nil : error, call: call,
            policies: configuration.policies)
    }

    func event(_ job: ClaimedJob, _ result: SettleResult, answeredBy: AnsweredBy?) -> WorkerEvent {
        var state: JobState?
        if case .settled(let settled) = result { state = settled }
        return WorkerEvent(
            job: job.id, target: job.route, attempt: job.attempt, state: state, answeredBy: answeredBy, failure: nil, message: nil,
            latency: 0, usage: Usage(), cost: 0)
    }
}
