import AgentQueueModel
import AgentQueueStore
import Logging

/// Jobs that remember texts: what is stored already, or was embedded before, needs no call; the others share one.
extension JobRunner {
    func runMemorize(_ jobs: [ClaimedJob]) async {
        let plans = await plans(of: jobs)
        await remember(plans.filter(\.open.isEmpty))
        let lacking = plans.filter { !$0.open.isEmpty }
        guard !lacking.isEmpty else { return }
        // Of equal texts one is called for; the others have its vector then.
        var asked: Set<[UInt8]> = []
        var waiting: [MemorizePlan] = []
        var first: [MemorizePlan] = []
        for plan in lacking {
            let digests = plan.open.map { plan.digests[$0] }
            if digests.allSatisfy(asked.contains) { waiting.append(plan) } else { first.append(plan) }
            asked.formUnion(digests)
        }
        var runner = self
        runner.memory = MemoryWork()
        for plan in first { runner.memory.plans[plan.job.id] = plan }
        let slots = jobs.count == 1 ? [calls?.begin(job: jobs[0].id)] : Set(first.map(\.job.lease.token)).map { calls?.begin(token: $0) }
        await runner.callForAll(first.map(\.job))
        for slot in slots { calls?.end(slot) }
        let learned = runner.memory.learned.value
        for index in waiting.indices { waiting[index].take(learned) }
        await remember(waiting.filter(\.open.isEmpty))
        for plan in waiting where !plan.open.isEmpty { await handBack(plan.job) }
    }

    // MARK: Planning

    /// What the jobs need. Those that cannot be done are settled.
    private func plans(of jobs: [ClaimedJob]) async -> [MemorizePlan] {
        guard let memory = configuration.memory else {
            for job in jobs { await fail(job, "this worker does not remember") }
            return []
        }
        do {
            let particulars = try store.context(of: jobs.map(\.id))
            var plans: [MemorizePlan] = []
            for job in jobs {
                guard let provider = providers[job.target.provider] else {
                    await fail(job, "this worker has no provider '\(job.target.provider)'")
                    continue
                }
                let plan = MemorizePlan(job, particulars[job.id], identity: provider.identity, makesVectors: memory.makesVectors)
                if let plan { plans.append(plan) } else { await fail(job, "the stored request is damaged") }
            }
            var groups: [[MemorizePlan]] = []
            for (_, group) in Dictionary(grouping: plans, by: { [$0.order.namespace, $0.order.prefix] }) {
                groups.append(try await looked(up: group, memory))
            }
            return groups.flatMap(\.self).sorted { $0.job.id < $1.job.id }
        } catch {
            logger.warning("the memories could not be looked at", metadata: ["error": "\(error)"])
            for job in jobs where inFlight.holds(job.lease) { await handBack(job) }
            return []
        }
    }

    /// Plans of one namespace and model, with what the store has of them already.
    private func looked(up plans: [MemorizePlan], _ memory: MemoryConfiguration) async throws -> [MemorizePlan] {
        guard let first = plans.first else { return [] }
        let namespace = try store.readMemories { try $0.namespace(named: first.order.namespace) }
        let refusal = namespace?.refusal(of: first.model)
        var plans = plans
        for index in plans.indices where plans[index].makesVectors && plans[index].order.again == nil {
            guard refusal == nil else { continue }
            let memories = plans[index].memories(now: store.clock.wall(), retention: 0)
            // What is refused there is told by the settlement.
            let known = (try? store.known(memories, in: first.order.namespace, model: first.model)) ?? []
            plans[index].done = Set(known.indices.filter { known[$0] != nil })
        }
        for index in plans.indices {
            if let again = plans[index].order.again { plans[index].done = try done(again) }
        }
        try takeCached(&plans)
        guard let refusal else { return plans }
        for plan in plans where plan.order.again == nil && plan.makesVectors { await fail(plan.job, refusal) }
        return plans.filter { $0.order.again != nil || !$0.makesVectors }
    }

    /// Which of the memories that are embedded again need it no more: they are gone, have changed, or have their vector.
    private func done(_ again: MemoryOrder.Again) throws -> Set<Int> {
        try store.readMemories { snapshot in
            let memories = try snapshot.memories(again.ids)
            let namespace = try memories.values.first.flatMap { try snapshot.namespace(named: $0.namespace) }
            guard let space = namespace?.building, space.id == again.space else { return Set(again.ids.indices) }
            let made = Set(try snapshot.numbers(of: again.ids, in: space).map(\.memoryID))
            return Set(
                again.ids.indices.filter { memories[again.ids[$0]]?.version != again.versions[$0] || made.contains(again.ids[$0]) })
        }
    }

    private func takeCached(_ plans: inout [MemorizePlan]) throws {
        guard configuration.cacheTimeToLive != nil else { return }
        let digests = plans.filter(\.order.usesCache).flatMap { plan in plan.open.map { plan.digests[$0] } }
        guard !digests.isEmpty else { return }
        let vectors = try store.cachedReplies(digests).compactMapValues { reply in
            reply.vectors?.first.flatMap { try? MemoryVector($0) }
        }
        for index in plans.indices where plans[index].order.usesCache { plans[index].take(vectors) }
    }

    private func fail(_ job: ClaimedJob, _ sentence: String) async {
        await settle([job], [Attempt(outcome: .failure(ModelFailure.unsent(sentence)), latency: 0)])
    }

    // MARK: Settling

    /// Settles jobs that need no call.
    private func remember(_ plans: [MemorizePlan]) async {
        guard !plans.isEmpty else { return }
        var requests: [SettleRequest] = []
        var attempts: [Attempt] = []
        for plan in plans {
            let attempt = Attempt(outcome: .reply(ModelReply()), latency: 0)
            if inFlight.reason(for: plan.job.lease) == nil {
                requests.append(settlement(of: plan, nil, latency: 0))
                attempts.append(attempt)
            } else {
                let stopped = Attempt(outcome: cause(of: .failure(Self.notStarted), plan.job), latency: 0)
                requests.append(settlement(of: plan.job, stopped))
                attempts.append(stopped)
            }
        }
        await settle(requests, attempts)
    }

    /// What a job remembers once its texts have their vectors.
    func settlement(of plan: MemorizePlan, _ reply: ModelReply, _ attempt: Attempt) -> SettleRequest {
        var plan = plan
        let open = plan.open
        guard let embeddings = reply.embeddings, embeddings.count == open.count else {
            return failed(plan.job, reply, .invalidReply, "\(reply.embeddings?.count ?? 0) vectors came for \(open.count) texts", attempt)
        }
        for (place, values) in zip(open, embeddings) {
            do {
                plan.vectors[place] = try MemoryVector(values)
            } catch {
                return failed(plan.job, reply, .invalidReply, "\(error)", attempt)
            }
        }
        memory.learned.withLock { learned in
            for place in open { learned[plan.digests[place]] = plan.vectors[place] }
        }
        var request = settlement(of: plan, reply, latency: attempt.latency)
        request.rescued = rescued(plan, open, embeddings, request)
        return request
    }

    /// - Parameter reply: nil where no call was made.
    private func settlement(of plan: MemorizePlan, _ reply: ModelReply?, latency: Int64) -> SettleRequest {
        let now = store.clock.wall()
        let cost = reply.map { configuration.cost(of: $0.usage, said: $0.cost, target: plan.job.route) } ?? 0
        var told = reply ?? ModelReply()
        told.embeddings = nil
        let result = JobResult(
            reply: told.json, usage: told.usage, cost: cost, answeredBy: reply == nil ? .cache : .provider,
            target: plan.job.route.description, latency: latency)
        let call = reply.map {
            CallReport(target: plan.job.route, usage: $0.usage, cost: cost, calls: max(1, $0.calls), limits: $0.limits)
        }
        var request = SettleRequest(
            job: plan.job, settlement: Settlement(state: .completed), result: result, call: call, policies: configuration.policies)
        if let vectors = plan.spaceVectors {
            request.spaceVectors = vectors
        } else {
            let retention = configuration.memory?.retention(of: plan.order.namespace) ?? 0
            request.memories = MemoryWrite(
                plan.memories(now: now, retention: retention), in: plan.order.namespace,
                model: plan.makesVectors ? plan.model : nil, known: plan.done)
        }
        return request
    }

    /// What a call brought, for the one who has the job by then, should it no longer be ours.
    private func rescued(_ plan: MemorizePlan, _ open: [Int], _ vectors: [[Float]], _ request: SettleRequest) -> [CacheableAnswer] {
        guard plan.order.usesCache, let timeToLive = configuration.cacheTimeToLive, var result = request.result else { return [] }
        let now = store.clock.wall()
        return zip(open, vectors).map { place, vector in
            result.reply = ModelReply(embeddings: [vector]).json
            return CacheableAnswer(entry: CacheWrite(digest: plan.digests[place], timeToLive: timeToLive, createdAt: now), result: result)
        }
    }

    private func failed(
        _ job: ClaimedJob, _ reply: ModelReply, _ failure: FailureClass, _ sentence: String, _ attempt: Attempt
    ) -> SettleRequest {
        var attempt = attempt
        attempt.outcome = .failure(
            ModelFailure(
                failure, sentence, requestID: reply.requestID, usage: reply.usage, cost: reply.cost, calls: max(1, reply.calls),
                limits: reply.limits))
        return settlement(of: job, attempt)
    }

    /// A settlement that the store refuses, in place of one that would be refused again: what is wrong is the job's, or what it counted on
    /// is gone, and the next attempt sees that.
    func replaced(_ request: SettleRequest, _ error: StoreError) -> SettleRequest {
        var failure = error.kind == .notFound ? Self.notStarted : ModelFailure(.permanent, error.message)
        if error.kind == .notFound { failure.failure = .shutdown }
        failure.wasSent = request.call?.wasSent ?? false
        // What was paid stays on record.
        if let call = request.call { (failure.usage, failure.cost, failure.calls) = (call.usage, call.cost, call.calls) }
        var replaced = settlement(of: request.job, Attempt(outcome: .failure(failure), latency: 0))
        replaced.next = []
        replaced.call?.isCompanion = request.call?.isCompanion ?? false
        replaced.call?.limits = request.call?.limits
        return replaced
    }
}
