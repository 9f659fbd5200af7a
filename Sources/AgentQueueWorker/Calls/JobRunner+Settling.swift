import AgentQueueModel
import AgentQueueStore
import Logging

/// The end of an attempt is stored, and told.
extension JobRunner {
    /// How long to wait before a settle that the store refused is tried again, in ms: the disk may be full, and the answer
    /// is paid for.
    private static let settleRetry: Int64 = 1_000
    /// The most jobs that one transaction settles, and the most numbers of their vectors, about a megabyte: it must be short.
    private static let settleSlice = (jobs: 100, numbers: 100_000)

    /// Settles a call whose attempt has ended.
    func settle(_ call: inout JobCall) async {
        guard case .ended(let attempt) = call.state else { return }
        await settle([settlements.end(call, attempt, now: store.clock.wall())])
        call.state = .settled
    }

    /// Settles several, in slices, and announces each.
    func settle(_ ended: [EndedCall]) async {
        var ended = ended
        var start = 0
        // Which were found to be refused in company, and are settled alone.
        var aloneUntil = 0
        while start < ended.count {
            let end = start < aloneUntil ? start + 1 : Self.endOfSlice(ended, from: start)
            let slice = ended[start..<end]
            do {
                for (one, result) in zip(slice, try await stored(slice)) { announce(one, result) }
                start = end
            } catch {
                if let error = error as? StoreError, error.kind == .conflict || error.kind == .notFound,
                    slice.contains(where: { $0.request.memories != nil || $0.request.spaceVectors != nil })
                {
                    if slice.count == 1 { ended[start] = replaced(ended[start], error) } else { aloneUntil = end }
                    continue
                }
                logger.error(
                    "\(slice.count == 1 ? "a job" : "jobs") could not be settled; trying again",
                    metadata: ["job": "\(ended[start].job.id)", "jobs": "\(slice.count)", "error": "\(error)"])
                // As long as the process lives: what was paid for is not thrown away. If it is ended meanwhile, the jobs are rescued.
                do { try await Task.sleep(for: .milliseconds(Self.settleRetry)) } catch { break }
            }
        }
        for one in ended[start...] { inFlight.remove(one.job.lease) }
    }

    private func stored(_ slice: ArraySlice<EndedCall>) async throws -> [SettleResult] {
        if slice.count == 1, let only = slice.first { return [try await settleStep(only.request)] }
        return try await store.claims.settle(slice.map(\.request))
    }

    private static func endOfSlice(_ ended: [EndedCall], from start: Int) -> Int {
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

    /// A settlement that the store refuses, in place of one that would be refused again: what is wrong is the job's, or what it counted on
    /// is gone, and the next attempt sees that.
    private func replaced(_ ended: EndedCall, _ error: StoreError) -> EndedCall {
        var failure = error.kind == .notFound ? ModelFailure.notStarted : ModelFailure(.permanent, error.message)
        if error.kind == .notFound { failure.failure = .shutdown }
        let call = ended.request.call
        failure.wasSent = call?.wasSent ?? false
        // What was paid stays on record.
        if let call { (failure.usage, failure.cost, failure.calls) = (call.usage, call.cost, call.calls) }
        var replaced = settlements.end(JobCall(ended.job), Attempt(.failure(failure), latency: 0), now: store.clock.wall())
        replaced.request.call?.isCompanion = call?.isCompanion ?? false
        replaced.request.call?.limits = call?.limits
        return replaced
    }

    // MARK: Announcing

    /// Tells what became of a job, keeps its answer in memory, and forgets that it is under way.
    private func announce(_ ended: EndedCall, _ result: SettleResult) {
        // One that left the call it shared was told of then.
        let isNews = inFlight.holds(ended.job.lease)
        inFlight.remove(ended.job.lease)
        keep(ended.request)
        guard isNews else { return }
        var event = WorkerEvent(ended.request, result, latency: ended.attempt.latency)
        // What is wrong with an answer quotes it, and no log holds answers.
        if ended.attempt.isMismatch, ended.job.kind == .generate { event.message = "the answer does not fit its schema" }
        report(event)
    }

    /// Tells of a job that needed no call.
    func announce(_ job: ClaimedJob, _ result: SettleResult, answeredBy: AnsweredBy) {
        inFlight.remove(job.lease)
        report(WorkerEvent(job, result, answeredBy: answeredBy))
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
}

extension WorkerEvent {
    /// A job that ended its attempt, by the store's word.
    init(_ job: ClaimedJob, _ result: SettleResult, answeredBy: AnsweredBy?) {
        var state: JobState?
        if case .settled(let settled) = result { state = settled }
        self.init(
            job: job.id, target: job.route, attempt: job.attempt, state: state, answeredBy: answeredBy, failure: nil, message: nil,
            latency: 0, usage: Usage(), cost: 0)
    }

    /// A job whose call has ended.
    init(_ request: SettleRequest, _ result: SettleResult, latency: Int64) {
        self.init(request.job, result, answeredBy: request.result?.answeredBy)
        failure = request.error?.failure
        message = request.error?.message
        self.latency = latency
        usage = request.call?.usage ?? Usage()
        cost = request.call?.cost ?? 0
    }
}
