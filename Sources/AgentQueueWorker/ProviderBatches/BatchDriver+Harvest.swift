import AgentQueueModel
import AgentQueueStore
import Logging

/// The provider's batch is another's.
private struct NotOurs: Error {}
/// Another looks after the batch by now.
private struct LostLease: Error {}

extension BatchDriver {
    /// Takes a batch's answers in, slice by slice: each job leaves the batch in the transaction that settles it.
    /// - Parameter remote: the batch as the provider described it just now; nil asks again.
    func harvest(_ batch: ProviderBatch, _ provider: any BatchProvider, _ remote: RemoteBatch? = nil) async throws -> ProviderBatch? {
        guard let remote = try await described(batch, provider, remote) else { return nil }
        // Longer with each failure: a slow line gets there in the end.
        let timeout = policy(of: provider).timeout(bytes: batch.bytes * 4) << Int64(min(max(0, batch.failures), 8))
        // Whether the batch that is read is the one it was taken for.
        let isCertain = LockedValue(batch.isCertain)
        let failure: ModelFailure?
        do {
            failure = try await provider.readResults(of: remote, kind: batch.kind, timeout: timeout) { slice in
                try await take(in: slice, of: batch, provider, isCertain)
            }
        } catch is NotOurs {
            logger.info("batch \(batch.id) of \(batch.target): the provider's \(remote.id) is another's")
            return try await move(batch.excluding(now: store.clock.wall()), from: .harvesting, goesOn: true)
        } catch is LostLease {
            return nil
        }
        try interrupt("read")
        var read = batch
        read.isCertain = isCertain.value
        if let failure {
            // What could not be told apart in several looks never will be.
            let isHopeless = failure.failure == .invalidReply && read.failures >= 5
            if isHopeless || read.isLost(failure, now: store.clock.wall()) { return try await endUnanswered(read, failure.message) }
            return try await putOff(read, failure, provider)
        }
        // One without any line is no one's: nothing of it was charged.
        guard read.isCertain else { return try await endUnanswered(read, "") }
        return try await move(read.returning(read.rest ?? .suspect, nil), from: .harvesting, goesOn: true)
    }

    /// The provider's description of a batch that has ended; nil where there is none to go on with.
    private func described(
        _ batch: ProviderBatch, _ provider: any BatchProvider, _ remote: RemoteBatch?
    ) async throws -> RemoteBatch? {
        if let remote { return remote }
        guard let id = batch.remoteID else { return nil }
        switch await provider.batch(id, timeout: policy(of: provider).timeout) {
        case .success(let remote):
            return remote
        case .failure(let failure):
            if batch.isLost(failure, now: store.clock.wall()) {
                // The next look sends those without an answer back.
                var lost = batch.returning(.suspect, failure.message)
                if !batch.isCertain { lost = batch.excluding(now: store.clock.wall()) }
                _ = try await move(lost, from: .harvesting, goesOn: false)
            } else {
                _ = try await putOff(batch, failure, provider)
            }
            return nil
        }
    }

    /// Settles one slice of results.
    private func take(
        in slice: [BatchItemResult], of batch: ProviderBatch, _ provider: any BatchProvider, _ isCertain: LockedValue<Bool>
    ) async throws {
        let results = Dictionary(
            slice.compactMap { result in batch.job(ofItem: result.id).map { ($0, result) } }, uniquingKeysWith: { one, _ in one })
        if !isCertain.value, !slice.isEmpty {
            guard !results.isEmpty else { throw NotOurs() }
            var certain = batch
            certain.isCertain = true
            guard try await store.update(certain, from: .harvesting, releases: false) else { throw LostLease() }
            isCertain.value = true
        }
        let members = try store.members(of: batch, ids: Array(results.keys))
        let now = store.clock.wall()
        let settling = BatchItemSettling(configuration: configuration, priceShare: provider.batchCapacity.priceShare)
        var requests: [SettleRequest] = []
        var unpaid: [Int64] = []
        for (id, result) in results.sorted(by: { $0.key < $1.key }) {
            guard let member = members[id] else { continue }
            // Only beside its request can the provider's words be told from what was asked, of which no reason may hold any part.
            let outcome = (try? ModelRequest(member.job)).map { provider.outcome(of: result, to: $0) } ?? result.outcome
            if Self.isUnpaid(outcome) {
                unpaid.append(id)
            } else {
                requests.append(settling.request(for: member, outcome, latency: now - (batch.submittedAt ?? now), now: now))
            }
        }
        try interrupt("before a slice")
        guard let settled = try await store.settle(requests, of: batch) else { throw LostLease() }
        try interrupt("after a slice")
        guard try await store.dismiss(unpaid, from: batch, .again, reason: nil) else { throw LostLease() }
        for (request, result) in zip(requests, settled) {
            if let result { report(event(request, result)) }
        }
    }

    /// Whether the batch ended before the item's turn.
    private static func isUnpaid(_ outcome: Outcome) -> Bool {
        guard case .failure(let failure) = outcome else { return false }
        return failure.failure == .cancelled || failure.failure == .expired || failure.failure == .shutdown
    }

    private func event(_ request: SettleRequest, _ result: SettleResult) -> WorkerEvent {
        var state: JobState?
        if case .settled(let settled) = result { state = settled }
        // What is wrong with an answer quotes it, and no log holds answers.
        let message = request.error?.failure == .invalidReply ? "the answer is not what was asked for" : request.error?.message
        return WorkerEvent(
            job: request.job.id, target: request.job.target, attempt: request.job.attempt, state: state,
            answeredBy: request.result?.answeredBy, failure: request.error?.failure, message: message,
            latency: request.result?.latency ?? 0, usage: request.call?.usage ?? Usage(), cost: request.call?.cost ?? 0)
    }
}

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
