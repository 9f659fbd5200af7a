import AgentQueueModel
import AgentQueueStore
import Logging

/// Looks after the batches at providers, in every worker process: sends them, asks how they stand, takes their answers in. It holds no
/// slot. One batch of a provider at a time, different providers side by side; whichever worker comes first looks after a batch, under a
/// lease of its own.
///
/// What comes next is decided by ``QueueStore/ProviderBatch/decide(_:drains:now:)``; here it is carried out. Every step leaves the
/// store so that a worker that dies after it, or in the middle, is followed by one that neither sends twice nor loses an answer.
struct BatchDriver: Sendable {
    let store: QueueStore
    let providers: [any BatchProvider]
    let configuration: WorkerConfiguration
    let worker: Int64
    let logger: Logger
    /// Told what became of each job.
    let report: @Sendable (WorkerEvent) -> Void
    /// Called between the steps; what it throws ends all as if the process had died. For tests.
    var interrupt: @Sendable (StaticString) throws -> Void = { _ in }

    /// How long the driver waits after the store failed, in ms.
    private static let storeRetry: Int64 = 10_000

    /// How long a round waits after the ring that called for it, in ms. Rings come with every commit.
    private static let pause: Int64 = 5

    /// What batches hold, of the providers that take any.
    static func capacities(of providers: some Sequence<any ModelProvider>) -> [String: BatchCapacity] {
        var capacities: [String: BatchCapacity] = [:]
        for case let provider as any BatchProvider in providers { capacities[provider.name] = provider.batchCapacity }
        return capacities
    }

    func policy(of provider: any BatchProvider) -> BatchPolicy { configuration.batchPolicies[provider.name] ?? BatchPolicy() }

    /// Works until the task is cancelled. A step that is under way then is given up, and its lease given back.
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
                    // What the store cannot do now it will not be able to in a moment.
                    logger.warning("looking after the batches of '\(provider.name)' failed", metadata: ["error": "\(error)"])
                    try? await Task.sleep(for: .milliseconds(Self.storeRetry))
                }
            }
            group.cancelAll()
        }
    }

    /// Carries out what is to be done for a provider's batches now.
    /// - Returns: when the next is to be looked at (wall clock, ms); nil where none waits for a time.
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
                    // The others are looked after all the same.
                    failed = failed ?? error
                }
            }
        }
        if let failed { throw failed }
        return next
    }

    /// Does what is to be done for one batch, under a lease that is renewed meanwhile.
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
                        // A renewal that fails is tried again, well before the lease ends.
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

    /// One step after the other, as far as they lead without waiting.
    private func carryOut(_ batch: ProviderBatch, _ provider: any BatchProvider) async throws {
        var current: ProviderBatch? = batch
        while let batch = current {
            let step = batch.decide(policy(of: provider), drains: configuration.drains, now: store.clock.wall())
            if Task.isCancelled { return try await store.providerBatches.release(batch) }
            logger.debug("batch \(batch.id) of \(batch.target): \(step)", metadata: ["jobs": "\(batch.jobs)"])
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

    // MARK: What the steps share

    /// Writes how a batch stands now.
    /// - Returns: it, as far as there is more to do for it at once; nil where it waits, or is another's by now.
    func move(_ batch: ProviderBatch, from state: ProviderBatch.State, goesOn: Bool) async throws -> ProviderBatch? {
        guard try await store.providerBatches.update(batch, from: state, releases: !goesOn) else { return nil }
        return goesOn ? batch : nil
    }

    /// The provider failed: the batch is put off, and the failure shows with it. A step that was only given up is no failure.
    func putOff(_ batch: ProviderBatch, _ failure: ModelFailure, _ provider: any BatchProvider) async throws -> ProviderBatch? {
        if Task.isCancelled {
            try await store.providerBatches.release(batch)
            return nil
        }
        let late = batch.putOff(failure, policy(of: provider), now: store.clock.wall())
        say(failure, of: late)
        return try await move(late, from: batch.state, goesOn: false)
    }

    /// Once for each sentence: a provider that stays away says the same for hours.
    func say(_ failure: ModelFailure, of batch: ProviderBatch) {
        guard batch.failures <= 1 else { return }
        logger.warning(
            "batch \(batch.id) of \(batch.target): the provider failed",
            metadata: ["class": "\(failure.failure.rawValue)", "error": "\(failure.message)"])
    }

    /// The provider has it no more, or will have none of it: if it is this batch for certain; else another's was taken for it.
    func endUnanswered(_ batch: ProviderBatch, _ reason: String) async throws -> ProviderBatch? {
        guard batch.isCertain else {
            return try await move(batch.excluding(now: store.clock.wall()), from: batch.state, goesOn: true)
        }
        logger.warning("batch \(batch.id) of \(batch.target): refused", metadata: ["error": "\(reason)"])
        // Room is lacking while others of ours are under way: the next batch will have it.
        let isFull =
            try reason.contains("token_limit_exceeded")
            && store.providerBatches.open(of: batch.target.provider).contains {
                $0.id != batch.id && $0.target == batch.target && $0.remoteID != nil
            }
        return try await move(batch.returning(isFull ? .again : .suspect, reason), from: batch.state, goesOn: true)
    }

    // MARK: Short steps

    /// Jobs whose deadline is near, and that have not been sent, are called for alone.
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
        // Identical jobs that wait for one of its answers may be the urgent ones: they wait no longer than it does.
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
            logger.info("batch \(batch.id) of \(batch.target): given up", metadata: ["wanted": "\(batch.isWanted)"])
            return try await move(cancelling.underWay(remote, policy, now: now), from: batch.state, goesOn: false)
        case .failure(let failure) where failure.failure == .permanent:
            // It may have ended meanwhile: that will show.
            cancelling.dueAt = now
            return try await move(cancelling, from: batch.state, goesOn: true)
        case .failure(let failure):
            return try await putOff(batch, failure, provider)
        }
    }

    private func returnRest(_ batch: ProviderBatch, _ provider: any BatchProvider) async throws -> ProviderBatch? {
        // What the provider keeps of it costs the user room there, and no more: it is tried once, and before the last job leaves, for
        // which a draining worker waits.
        let timeout = policy(of: provider).timeout
        if let id = batch.remoteID, case .success(let remote) = await provider.batch(id, timeout: timeout) {
            await provider.forgetBatch(remote, timeout: timeout)
        }
        try interrupt("forgotten")
        while let isMore = try await store.providerBatches.returnRest(of: batch) {
            try interrupt("a slice is returned")
            guard !isMore else { continue }
            logger.info("batch \(batch.id) of \(batch.target): ended", metadata: ["jobs": "\(batch.jobs)"])
            return nil
        }
        return nil
    }
}

/// A test's stand-in for the death of the process.
struct BatchInterruption: Error {}
