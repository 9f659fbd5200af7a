import AgentQueueModel
import AgentQueueStore
import Logging

/// The remote batch belongs to someone else.
private struct NotOurs: Error {}
/// Another worker has the batch.
private struct LostLease: Error {}

extension BatchDriver {
    /// Settles a batch's jobs, slice by slice. Each job leaves the batch in the transaction that settles it.
    /// - Parameter remote: the provider's current description of the batch; nil fetches it.
    func harvest(_ batch: ProviderBatch, _ provider: any BatchProvider, _ remote: RemoteBatch? = nil) async throws -> ProviderBatch? {
        guard let remote = try await described(batch, provider, remote) else { return nil }
        // Doubled with each failure, so that a slow connection succeeds in the end.
        let timeout = policy(of: provider).timeout(bytes: batch.bytes * 4) << Int64(min(max(0, batch.failures), 8))
        // Whether the remote batch is certainly ours.
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
            // Results that could not be parsed several times never will be.
            let isHopeless = failure.failure == .invalidReply && read.failures >= 5
            if isHopeless || read.isLost(failure, now: store.clock.wall()) { return try await endUnanswered(read, failure.message) }
            return try await putOff(read, failure, provider)
        }
        // Without a single line it cannot be identified, and nothing was charged.
        guard read.isCertain else { return try await endUnanswered(read, "") }
        return try await move(read.returning(read.rest ?? .suspect, nil), from: .harvesting, goesOn: true)
    }

    /// The provider's description of an ended batch; nil if it cannot be had now.
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
                // The next step returns the jobs without an answer.
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
            guard try await store.providerBatches.update(certain, from: .harvesting, releases: false) else { throw LostLease() }
            isCertain.value = true
        }
        let members = try store.providerBatches.members(of: batch, ids: Array(results.keys))
        let now = store.clock.wall()
        let settlements = SettlementBuilder(configuration, origin: .batch(priceShare: provider.batchCapacity.priceShare))
        var ended: [EndedCall] = []
        var unpaid: [Int64] = []
        for (id, result) in results.sorted(by: { $0.key < $1.key }) {
            guard let member = members[id] else { continue }
            var call = JobCall(member.job)
            let outcome = outcome(of: result, for: &call, provider)
            if Self.isUnpaid(outcome) {
                unpaid.append(id)
                continue
            }
            call.state = .ended(Attempt(outcome, latency: now - (batch.submittedAt ?? now)))
            call.check()
            if case .ended(let attempt) = call.state { ended.append(settlements.end(call, attempt, now: now)) }
        }
        try interrupt("before a slice")
        guard let settled = try await store.providerBatches.settle(ended.map(\.request), of: batch) else { throw LostLease() }
        try interrupt("after a slice")
        guard try await store.providerBatches.dismiss(unpaid, from: batch, .again, reason: nil) else { throw LostLease() }
        for (one, result) in zip(ended, settled) {
            if let result { report(event(one.request, result)) }
        }
    }

    /// The outcome of an item. The request is needed to keep parts of the prompt out of error messages, and to check the answer: if it was
    /// damaged since it was submitted, the answer is of no use, but its cost is recorded.
    private func outcome(of result: BatchItemResult, for call: inout JobCall, _ provider: any BatchProvider) -> Outcome {
        // The job was deleted, and its request with it. The answer is paid for, and kept in the cache.
        guard !call.job.body.isEmpty else { return result.outcome }
        do {
            let (request, schema) = try RequestBuilder.stored(call.job)
            (call.request, call.schema) = (request, schema)
            return provider.outcome(of: result, to: request)
        } catch {
            switch result.outcome {
            case .reply(let reply):
                return .failure(
                    ModelFailure(
                        .permanent, error.message, requestID: reply.requestID, usage: reply.usage, cost: reply.cost,
                        calls: max(1, reply.calls)))
            case .failure(var failure):
                failure.message = error.message
                return .failure(failure)
            }
        }
    }

    /// Whether the batch ended before the item was processed.
    private static func isUnpaid(_ outcome: Outcome) -> Bool {
        guard case .failure(let failure) = outcome else { return false }
        return failure.failure == .cancelled || failure.failure == .expired || failure.failure == .shutdown
    }

    private func event(_ request: SettleRequest, _ result: SettleResult) -> JobEvent {
        var event = JobEvent(request, result, latency: request.result?.latency ?? 0)
        // The complaint quotes the answer, and answers must not be logged.
        if event.failure == .invalidReply { event.message = "the answer is not what was asked for" }
        return event
    }
}
