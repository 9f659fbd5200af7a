import AgentQueueModel
import AgentQueueStore
import Logging

extension BatchDriver {
    /// The jobs of a batch, by what happens to them.
    private struct Load {
        var items: [BatchItem] = []
        var inputs = 0
        var bytes = 0
        /// Jobs that wait for the next batch, or that nobody waits for any more.
        var others: [Int64] = []
        /// Jobs that no batch can hold, by reason.
        var refused: [String: [Int64]] = [:]
    }

    /// Submits a batch. The intent is stored first, under the lease and with the number of jobs, so that no worker submits it twice.
    func submit(_ batch: ProviderBatch, _ provider: any BatchProvider) async throws -> ProviderBatch? {
        let policy = policy(of: provider)
        // If jobs are cancelled while the batch is assembled, it is assembled again.
        for _ in 0..<10 {
            let load = try load(batch, provider)
            try interrupt("made up")
            guard try await store.providerBatches.dismiss(load.others, from: batch, .again, reason: nil) else { return nil }
            for (reason, ids) in load.refused {
                logger.notice("\(ids.count) jobs of \(batch.target) cannot be sent in a batch", metadata: ["error": "\(reason)"])
                guard try await store.providerBatches.dismiss(ids, from: batch, .live, reason: reason) else { return nil }
            }
            guard !load.items.isEmpty else { return try await move(batch.returning(.again, nil), from: batch.state, goesOn: true) }
            var intent = batch.submitting(policy, now: store.clock.wall())
            intent.bytes = load.bytes
            guard try await store.providerBatches.update(intent, from: batch.state, expecting: load.items.count, releases: false) else {
                guard try await store.providerBatches.renew(batch, for: policy.lease) else { return nil }
                continue
            }
            intent.jobs = load.items.count
            try interrupt("the intent is written")
            return try await send(intent, load, provider)
        }
        try await store.providerBatches.release(batch)
        return nil
    }

    private func send(_ intent: ProviderBatch, _ load: Load, _ provider: any BatchProvider) async throws -> ProviderBatch? {
        let policy = policy(of: provider)
        logger.info(
            "batch \(intent.id) of \(intent.target): sending",
            metadata: ["jobs": .stringConvertible(load.items.count), "bytes": .stringConvertible(load.bytes)])
        // If this process was suspended, another may have considered it dead and submitted the batch.
        guard try await store.providerBatches.renew(intent, for: policy.lease), store.clock.wall() < intent.unsettledUntil ?? .max else {
            try await store.providerBatches.release(intent)
            return nil
        }
        let answer = await provider.submitBatch(load.items, label: intent.label, timeout: policy.timeout(bytes: load.bytes))
        try interrupt("sent")
        let now = store.clock.wall()
        switch answer {
        case .success(let remote):
            let submitted = intent.submitted(as: remote, isCertain: true, policy, now: now)
            if try await store.providerBatches.update(submitted, from: .submitting, releases: true) { return nil }
            // Another worker considered this one dead. It does not know the remote id yet.
            if try await store.providerBatches.noteLateSubmission(submitted) == false {
                logger.warning("batch \(intent.id) of \(intent.target) was sent twice; giving the later one up")
                _ = await provider.cancelBatch(remote.id, timeout: policy.timeout)
            }
            return nil
        case .failure(let failure):
            let next = intent.notSubmitted(failure, policy, now: now)
            say(failure, of: next)
            if next.state == .returning {
                logger.warning("batch \(intent.id) of \(intent.target): not taken; its jobs are called for one by one")
            }
            return try await move(next, from: .submitting, goesOn: next.state == .returning)
        }
    }

    /// Searches the provider for a batch that may have been submitted.
    func reconcile(_ batch: ProviderBatch, _ provider: any BatchProvider) async throws -> ProviderBatch? {
        let policy = policy(of: provider)
        let since = (batch.submittingAt ?? batch.createdAt) - BatchPolicy.clockSkew
        let answer = await provider.findBatches(label: batch.label, count: batch.jobs, since: since, timeout: policy.timeout)
        try interrupt("looked for")
        let now = store.clock.wall()
        switch answer {
        case .failure(let failure):
            return try await putOff(batch, failure, provider)
        case .success(let found):
            switch batch.find(in: found, taken: try store.providerBatches.takenRemoteIDs(besides: batch), policy, now: now) {
            case .found(let remote):
                var adopted = batch.submitted(as: remote, isCertain: remote.isCertain, policy, now: now)
                // It may have ended already.
                adopted.dueAt = now
                logger.info(
                    "batch \(batch.id) of \(batch.target): found at the provider",
                    metadata: ["remote": "\(remote.id)", "certain": .stringConvertible(remote.isCertain)])
                if let adopted = try await move(adopted, from: .submitting, goesOn: true) { return adopted }
                try await store.providerBatches.release(batch)
                return nil
            case .absent:
                return try await submit(batch, provider)
            case .open(let time):
                var waiting = batch
                waiting.dueAt = time
                waiting.failures = 0
                waiting.error = nil
                return try await move(waiting, from: .submitting, goesOn: false)
            }
        }
    }

    // MARK: Assembling

    /// Sorts a batch's jobs. Those that fit the provider's limits are submitted.
    private func load(_ batch: ProviderBatch, _ provider: any BatchProvider) throws -> Load {
        let capacity = provider.batchCapacity
        let now = store.clock.wall()
        var load = Load()
        var after: Int64 = 0
        while true {
            let members = try store.providerBatches.members(of: batch, after: after, limit: 500)
            guard let last = members.last else { return load }
            after = last.job.id
            // Jobs that the cache can answer by now are left to the claim.
            let answered = try store.cache.answered(members.filter(\.job.useCache).map(\.job.digest))
            for member in members {
                let isAnswered = member.job.useCache && answered.contains(member.job.digest)
                guard member.isWanted, !isAnswered, member.urgentAt ?? .max > now else {
                    load.others.append(member.job.id)
                    continue
                }
                try add(member, of: batch, to: &load, capacity, provider)
            }
        }
    }

    private func add(
        _ member: BatchMember, of batch: ProviderBatch, to load: inout Load, _ capacity: BatchCapacity, _ provider: any BatchProvider
    ) throws {
        let id = member.job.id
        let request: ModelRequest
        do {
            request = try RequestBuilder(store: store, configuration: configuration).request(for: member.job).request
        } catch let failure as ModelFailure {
            load.refused[failure.message, default: []].append(id)
            return
        }
        let item = BatchItem(id: batch.itemName(of: id), request: request)
        switch provider.batchSize(of: item) {
        case .failure(let failure):
            load.refused[failure.message, default: []].append(id)
        case .success(let bytes) where bytes > capacity.bytes || member.job.inputs > capacity.items:
            load.refused["it is larger than a whole batch of '\(provider.name)' may be", default: []].append(id)
        case .success(let bytes):
            guard load.bytes + bytes <= capacity.bytes, load.inputs + member.job.inputs <= capacity.items else {
                load.others.append(id)
                return
            }
            load.items.append(item)
            load.bytes += bytes
            load.inputs += member.job.inputs
        }
    }
}
