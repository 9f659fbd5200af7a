import AgentQueueModel
import AgentQueueStore
import Logging

/// The stage that stores the end of an attempt and reports it.
extension JobRunner {
    /// The wait before a failed settlement is tried again, in ms. The disk may be full, and the answer is paid for.
    private static let settleRetry: Int64 = 1_000
    /// The limits of one transaction, which must be short: jobs, and numbers in their vectors (about a megabyte).
    private static let settleSlice = (jobs: 100, numbers: 100_000)

    /// Settles a job whose attempt has ended.
    func settle(_ call: inout JobCall) async {
        guard case .ended(let attempt) = call.state else { return }
        await settle([settlements.end(call, attempt, now: store.clock.wall())])
        call.state = .settled
    }

    /// Settles attempts in slices, and announces each.
    func settle(_ ended: [EndedCall]) async {
        var ended = ended
        var start = 0
        // The end of a slice that the store refused. Its attempts are settled one by one.
        var aloneUntil = 0
        while start < ended.count {
            let end = start < aloneUntil ? start + 1 : Self.endOfSlice(ended, from: start)
            let slice = start..<end
            do {
                let results = try await stored(ended, slice)
                for place in slice { announce(ended[place], results[place - start]) }
                start = end
            } catch {
                if let error = error as? StoreError, error.kind == .conflict || error.kind == .notFound,
                    ended[slice].contains(where: { $0.request.memories != nil || $0.request.spaceVectors != nil })
                {
                    if slice.count == 1 { ended[start] = replaced(ended[start], error) } else { aloneUntil = end }
                    continue
                }
                logger.error(
                    "\(slice.count == 1 ? "a job" : "jobs") could not be settled; trying again",
                    metadata: [
                        "job": .stringConvertible(ended[start].job.id), "jobs": .stringConvertible(slice.count), "error": "\(error)",
                    ])
                // The database is gone, and with it the jobs.
                if let error = error as? StoreError, error.kind == .incomplete { break }
                // Retried as long as the process lives, since the answers are paid for. If the process ends, the jobs are rescued.
                do { try await Task.sleep(for: .milliseconds(Self.settleRetry)) } catch { break }
            }
        }
        for one in ended[start...] { inFlight.remove(one.job.lease) }
    }

    private func stored(_ ended: [EndedCall], _ slice: Range<Int>) async throws -> [SettleResult] {
        if slice.count == 1 { return [try await settleStep(ended[slice.lowerBound].request)] }
        return try await store.claims.settle(ended[slice].map(\.request))
    }

    private static func endOfSlice(_ ended: [EndedCall], from start: Int) -> Int {
        guard ended.count - start > 1 else { return ended.count }
        var end = start
        var numbers = 0
        while end < ended.count, end == start || (end - start < settleSlice.jobs && numbers < settleSlice.numbers) {
            if case .reply(let reply) = ended[end].attempt.outcome {
                numbers += reply.embeddings?.reduce(0) { $0 + $1.count } ?? 0
            }
            end += 1
        }
        return end
    }

    /// Replaces a settlement that the store refuses for good: the memories are invalid, or a memory that the job counted on is gone, which the
    /// next attempt will see.
    private func replaced(_ ended: EndedCall, _ error: StoreError) -> EndedCall {
        var failure = error.kind == .notFound ? ModelFailure.notStarted : ModelFailure(.permanent, error.message)
        if error.kind == .notFound { failure.failure = .shutdown }
        let call = ended.request.call
        failure.wasSent = call?.wasSent ?? false
        // The cost stays on record.
        if let call { (failure.usage, failure.cost, failure.calls) = (call.usage, call.cost, call.calls) }
        var replaced = settlements.end(JobCall(ended.job), Attempt(.failure(failure), latency: 0), now: store.clock.wall())
        replaced.request.call?.isCompanion = call?.isCompanion ?? false
        replaced.request.call?.limits = call?.limits
        return replaced
    }

    // MARK: Reporting

    /// Reports a settled attempt, and keeps its answer in the cache in memory.
    private func announce(_ ended: EndedCall, _ result: SettleResult) {
        // A job that left a shared call was reported then.
        let isNews = inFlight.holds(ended.job.lease)
        inFlight.remove(ended.job.lease)
        keep(ended.request)
        // Ends are told by the store, with those of followers and of jobs that made no call.
        if let audience, case .settled(let state) = result, !state.isFinal { audience.ended(ended.job.id, state) }
        guard isNews else { return }
        var event = JobEvent(ended.request, result, latency: ended.attempt.latency)
        // The complaint quotes the answer, and answers must not be logged.
        if ended.attempt.isMismatch, ended.job.kind == .generate { event.message = "the answer does not fit its schema" }
        report(event)
    }

    /// Reports a job that needed no call.
    func announce(_ job: ClaimedJob, _ result: SettleResult, answeredBy: AnsweredBy) {
        inFlight.remove(job.lease)
        report(JobEvent(job, result, answeredBy: answeredBy))
    }

    /// Keeps an answer in memory that the store has cached.
    private func keep(_ request: SettleRequest) {
        guard let cache, let entry = request.cache, let createdAt = entry.createdAt, let result = request.result else { return }
        cache.insert(
            entry.digest,
            CachedReply(
                reply: result.reply.text, target: result.target, inputTokens: result.usage.inputTokens,
                outputTokens: result.usage.outputTokens, cost: result.cost, createdAt: createdAt, expiresAt: createdAt + entry.timeToLive))
    }
}

extension JobEvent {
    /// A settled job.
    init(_ job: ClaimedJob, _ result: SettleResult, answeredBy: AnsweredBy?) {
        var state: JobState?
        if case .settled(let settled) = result { state = settled }
        self.init(
            job: job.id, target: job.route, attempt: job.attempt, state: state, answeredBy: answeredBy, failure: nil, message: nil,
            latency: 0, usage: Usage(), cost: 0)
    }

    /// A settled job, with the outcome of its call.
    init(_ request: SettleRequest, _ result: SettleResult, latency: Int64) {
        self.init(request.job, result, answeredBy: request.result?.answeredBy)
        failure = request.error?.failure
        message = request.error?.message
        self.latency = latency
        usage = request.call?.usage ?? Usage()
        if let call = request.call { cost = call.cost }
    }
}
