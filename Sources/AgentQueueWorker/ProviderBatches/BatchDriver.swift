import AgentQueueModel
import AgentQueueStore
import Logging

/// Drives the batches at providers: submits them, polls their status and harvests their results. It runs in every worker process and
/// takes no slot. A worker handles one batch per provider at a time, under the batch's own lease; providers are handled concurrently.
///
/// `ProviderBatch.decide` says what comes next; the driver carries it out. Every step leaves the store in a state from which another
/// worker can continue, if this one dies, without submitting a batch twice or losing an answer.
struct BatchDriver: Sendable {
    let store: QueueStore
    let providers: [any BatchProvider]
    let configuration: WorkerConfiguration
    let worker: Int64
    let logger: Logger
    /// Receives an event for each settled job.
    let report: @Sendable (JobEvent) -> Void
    /// Called between steps. For tests: an error ends the driver as if the process had died.
    var interrupt: @Sendable (StaticString) throws -> Void = { _ in }

    /// How long the driver waits after the store has failed, in ms.
    private static let storeRetry: Int64 = 10_000

    /// How long a round waits after it was woken, in ms: every commit rings.
    private static let pause: Int64 = 5

    /// The batch limits of the providers that support batches.
    static func capacities(of providers: some Sequence<any ModelProvider>) -> [String: BatchCapacity] {
        var capacities: [String: BatchCapacity] = [:]
        for case let provider as any BatchProvider in providers { capacities[provider.name] = provider.batchCapacity }
        return capacities
    }

    func policy(of provider: any BatchProvider) -> BatchPolicy { configuration.batchPolicies[provider.name] ?? BatchPolicy() }

    /// Runs until the task is cancelled. A step under way is then abandoned, and its lease released.
    func run() async {
        await withDiscardingTaskGroup { group in
            for provider in providers { group.addTask { await look(after: provider) } }
        }
    }

    private func look(after provider: any BatchProvider) async {
        let attention = WakeSignal()
        let timer = WakeTimer(attention)
        await withDiscardingTaskGroup { group in
            group.addTask {
                for await _ in store.changes(of: .work) { attention.call() }
                attention.finish()
            }
            group.addTask { await timer.run() }
            for await _ in attention.stream {
                try? await Task.sleep(for: .milliseconds(Self.pause))
                if Task.isCancelled { break }
                do {
                    if let due = try await advance(provider) { timer.set(after: due - store.clock.wall()) }
                } catch {
                    // The store is unlikely to recover within a moment.
                    logger.warning("looking after the batches of '\(provider.name)' failed", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: .milliseconds(Self.storeRetry))
                }
            }
            group.cancelAll()
        }
    }

    /// Does what is due for a provider's batches.
    /// - Returns: when the next batch is due (wall clock, ms); nil if none is waiting for a time.
    func advance(_ provider: any BatchProvider) async throws -> Int64? {
        var next: Int64?
        var failed: (any Error)?
        for batch in try store.providerBatches.open(of: provider.name) where !store.providerBatches.isOwned(batch) {
            if Task.isCancelled { return nil }
            if case .wait(let time) = batch.decide(policy(of: provider), drains: configuration.drains, now: store.clock.wall()) {
                next = min(next ?? time, time)
            } else if let held = try await store.providerBatches.take(batch, worker: worker, lease: policy(of: provider).lease) {
                do {
                    try await look(after: held, provider)
                } catch let error as BatchInterruption {
                    throw error
                } catch {
                    // One failing batch does not stop the others.
                    failed = failed ?? error
                }
            }
        }
        if let failed { throw failed }
        return next
    }

    /// Does what is due for one batch, and keeps renewing its lease meanwhile.
    private func look(after batch: ProviderBatch, _ provider: any BatchProvider) async throws {
        enum End { case done, lost, stopped }
        let lease = policy(of: provider).lease
        do {
            try await withThrowingTaskGroup(of: End.self) { group in
                group.addTask {
                    try await carryOut(batch, provider)
                    return .done
                }
                group.addTask {
                    while (try? await Task.sleep(for: .milliseconds(max(1, lease / 3)))) != nil {
                        // A failed renewal is tried again well before the lease ends.
                        if (try? await store.providerBatches.renew(batch, for: lease)) == false { return .lost }
                    }
                    return .stopped
                }
                for try await _ in group { group.cancelAll() }
            }
        } catch let error as BatchInterruption {
            throw error
        } catch {
            try? await store.providerBatches.release(batch)
            throw error
        }
    }

    /// Takes steps until the batch has to wait.
    private func carryOut(_ batch: ProviderBatch, _ provider: any BatchProvider) async throws {
        var current: ProviderBatch? = batch
        while let batch = current {
            let step = batch.decide(policy(of: provider), drains: configuration.drains, now: store.clock.wall())
            if Task.isCancelled { return try await store.providerBatches.release(batch) }
            logger.debug("batch \(batch.id) of \(batch.target): \(step)", metadata: ["jobs": .stringConvertible(batch.jobs)])
            switch step {
            case .wait: return try await store.providerBatches.release(batch)
            case .releaseUrgent: current = try await releaseUrgent(batch)
            case .submit: current = try await submit(batch, provider)
            case .reconcile: current = try await reconcile(batch, provider)
            case .poll: current = try await poll(batch, provider)
            case .cancel: current = try await cancel(batch, provider)
            case .harvest: current = try await harvest(batch, provider)
            case .returnRest: current = try await returnRest(batch, provider)
            }
            try interrupt("a step is done")
        }
    }

    // MARK: Shared by the steps

    /// Stores the new state of a batch.
    /// - Returns: the batch, if there is more to do at once; nil if it waits, or another worker has it.
    func move(_ batch: ProviderBatch, from state: ProviderBatch.State, goesOn: Bool) async throws -> ProviderBatch? {
        guard try await store.providerBatches.update(batch, from: state, releases: !goesOn) else { return nil }
        return goesOn ? batch : nil
    }

    /// Postpones a batch after a failure of the provider, and records the failure with it. A step that was only abandoned is no failure.
    func putOff(_ batch: ProviderBatch, _ failure: ModelFailure, _ provider: any BatchProvider) async throws -> ProviderBatch? {
        if Task.isCancelled {
            try await store.providerBatches.release(batch)
            return nil
        }
        let late = batch.putOff(failure, policy(of: provider), now: store.clock.wall())
        say(failure, of: late)
        return try await move(late, from: batch.state, goesOn: false)
    }

    /// Logs the first of several failures: an unreachable provider repeats the same message for hours.
    func say(_ failure: ModelFailure, of batch: ProviderBatch) {
        guard batch.failures <= 1 else { return }
        logger.warning(
            "batch \(batch.id) of \(batch.target): the provider failed",
            metadata: ["class": "\(failure.failure.rawValue)", "error": "\(failure.message)"])
    }

    /// The provider no longer has the batch, or refuses it. If it is not certain that the remote batch is ours, a stranger's was mistaken
    /// for it, and the search goes on.
    func endUnanswered(_ batch: ProviderBatch, _ reason: String) async throws -> ProviderBatch? {
        guard batch.isCertain else {
            return try await move(batch.excluding(now: store.clock.wall()), from: batch.state, goesOn: true)
        }
        logger.warning("batch \(batch.id) of \(batch.target): refused", metadata: ["error": "\(reason)"])
        // Our other batches exhaust the provider's quota now. The next batch will have it.
        let isFull =
            try reason.contains("token_limit_exceeded")
            && store.providerBatches.open(of: batch.target.provider).contains {
                $0.id != batch.id && $0.target == batch.target && $0.remoteID != nil
            }
        return try await move(batch.returning(isFull ? .again : .suspect, reason), from: batch.state, goesOn: true)
    }

    // MARK: Steps

    /// Removes jobs with a near deadline from a batch that has not been submitted, so that they get calls of their own.
    private func releaseUrgent(_ batch: ProviderBatch) async throws -> ProviderBatch? {
        let now = store.clock.wall()
        var after: Int64 = 0
        while true {
            let members = try store.providerBatches.members(of: batch, after: after, limit: 500)
            guard let last = members.last else { break }
            after = last.job.id
            let urgent = members.filter { $0.urgentAt ?? .max <= now }.map(\.job.id)
            guard try await store.providerBatches.dismiss(urgent, from: batch, .again, reason: nil) else { return nil }
        }
        var batch = batch
        batch.urgentAt = try await store.providerBatches.refreshUrgency(of: batch)
        // The urgent jobs may be followers of a job in the batch. They wait no longer than the batch does.
        guard let urgentAt = batch.urgentAt, urgentAt <= now else { return batch }
        return try await move(batch.returning(.again, nil), from: batch.state, goesOn: true)
    }

    private func poll(_ batch: ProviderBatch, _ provider: any BatchProvider) async throws -> ProviderBatch? {
        guard let id = batch.remoteID else { return try await endUnanswered(batch, "the provider's name for it is lost") }
        let policy = policy(of: provider)
        let answer = await provider.batch(id, timeout: policy.timeout)
        try interrupt("polled")
        let now = store.clock.wall()
        switch answer {
        case .success(let remote):
            switch remote.status {
            case .inProgress:
                return try await move(batch.underWay(remote, policy, now: now), from: batch.state, goesOn: false)
            case .ended:
                var ended = batch
                ended.expiresAt = remote.expiresAt ?? batch.expiresAt
                guard let harvesting = try await move(ended.harvesting(now: now), from: batch.state, goesOn: true) else { return nil }
                return try await harvest(harvesting, provider, remote)
            case .refused(let reason):
                return try await endUnanswered(batch, reason)
            }
        case .failure(let failure):
            if batch.isLost(failure, now: now) { return try await endUnanswered(batch, failure.message) }
            return try await putOff(batch, failure, provider)
        }
    }

    private func cancel(_ batch: ProviderBatch, _ provider: any BatchProvider) async throws -> ProviderBatch? {
        guard let id = batch.remoteID else { return try await endUnanswered(batch, "the provider's name for it is lost") }
        var batch = batch
        let policy = policy(of: provider)
        batch.urgentAt = try await store.providerBatches.refreshUrgency(of: batch)
        guard case .cancel = batch.decide(policy, drains: configuration.drains, now: store.clock.wall()) else { return batch }
        let answer = await provider.cancelBatch(id, timeout: policy.timeout)
        try interrupt("cancelled")
        let now = store.clock.wall()
        var cancelling = batch
        cancelling.state = .cancelling
        switch answer {
        case .success(let remote):
            logger.info("batch \(batch.id) of \(batch.target): given up", metadata: ["wanted": .stringConvertible(batch.isWanted)])
            return try await move(cancelling.underWay(remote, policy, now: now), from: batch.state, goesOn: false)
        case .failure(let failure) where failure.failure == .permanent:
            // The batch may have ended meanwhile. The next poll will tell.
            cancelling.dueAt = now
            return try await move(cancelling, from: batch.state, goesOn: true)
        case .failure(let failure):
            return try await putOff(batch, failure, provider)
        }
    }

    private func returnRest(_ batch: ProviderBatch, _ provider: any BatchProvider) async throws -> ProviderBatch? {
        // Leftover files cost the user some storage at the provider, nothing else, so deletion is tried once. It comes before the last job
        // leaves, since a draining worker waits for that.
        let timeout = policy(of: provider).timeout
        if let id = batch.remoteID, case .success(let remote) = await provider.batch(id, timeout: timeout) {
            await provider.forgetBatch(remote, timeout: timeout)
        }
        try interrupt("forgotten")
        while let isMore = try await store.providerBatches.returnRest(of: batch) {
            try interrupt("a slice is returned")
            guard !isMore else { continue }
            logger.info("batch \(batch.id) of \(batch.target): ended", metadata: ["jobs": .stringConvertible(batch.jobs)])
            return nil
        }
        return nil
    }
}

/// Stands for the death of the process in tests.
struct BatchInterruption: Error {}
