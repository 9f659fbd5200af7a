import AgentQueueModel
import AgentQueueStore
import Logging

/// Jobs that remember texts. Texts that are stored already or have a cached vector need no call; the others share one.
extension JobRunner {
    func runMemorize(_ jobs: [ClaimedJob]) async {
        let calls = await planned(jobs)
        await settleWithoutCall(calls.filter(\.isComplete))
        // Equal texts are embedded once. Jobs without a text of their own wait for the vectors of the others.
        var asked: Set<[UInt8]> = []
        var waiting: [MemorizePlan] = []
        var first: [JobCall] = []
        for call in calls where !call.isComplete {
            guard let plan = call.plan else { continue }
            let digests = plan.open.map { plan.digests[$0] }
            if digests.allSatisfy(asked.contains) { waiting.append(plan) } else { first.append(call) }
            asked.formUnion(digests)
        }
        guard !first.isEmpty else { return }
        let slots =
            jobs.count == 1 ? [self.calls?.begin(job: jobs[0].id)] : Set(first.map(\.job.lease.token)).map { self.calls?.begin(token: $0) }
        var shared = SharedCall(first)
        await callForAll(&shared)
        for slot in slots { self.calls?.end(slot) }
        for index in waiting.indices { waiting[index].take(shared.learned) }
        await settleWithoutCall(waiting.filter(\.open.isEmpty).map { JobCall($0.job, .memorize($0)) })
        for plan in waiting where !plan.open.isEmpty { await handBack(plan.job) }
    }

    // MARK: Planning

    /// Finds out what each job needs. Jobs that cannot succeed are settled.
    private func planned(_ jobs: [ClaimedJob]) async -> [JobCall] {
        guard let memory = configuration.memory else {
            for job in jobs { await fail(job, "this worker does not remember") }
            return []
        }
        do {
            let contexts = try store.claims.context(of: jobs.map(\.id))
            var plans: [MemorizePlan] = []
            for job in jobs {
                guard let provider = providers[job.target.provider] else {
                    await fail(job, "this worker has no provider '\(job.target.provider)'")
                    continue
                }
                do {
                    plans.append(
                        try MemorizePlan(job, contexts[job.id], identity: provider.identity, makesVectors: memory.makesVectors))
                } catch {
                    await fail(job, "the stored request is damaged: \(error)")
                }
            }
            var groups: [[MemorizePlan]] = []
            for (_, group) in Dictionary(grouping: plans, by: { [$0.order.namespace, $0.order.prefix] }) {
                groups.append(try await looked(up: group, memory))
            }
            return groups.flatMap(\.self).sorted { $0.job.id < $1.job.id }.map { JobCall($0.job, .memorize($0)) }
        } catch {
            logger.warning("the memories could not be looked at", metadata: ["error": "\(error)"])
            for job in jobs where inFlight.holds(job.lease) { await handBack(job) }
            return []
        }
    }

    /// Completes plans of one namespace and model with what the store has already.
    private func looked(up plans: [MemorizePlan], _ memory: MemoryConfiguration) async throws -> [MemorizePlan] {
        guard let first = plans.first else { return [] }
        let namespace = try store.memories.withSnapshot { try $0.namespace(named: first.order.namespace) }
        let refusal = namespace?.refusal(of: first.model)
        var plans = plans
        for index in plans.indices where plans[index].makesVectors && plans[index].order.again == nil {
            guard refusal == nil else { continue }
            plans[index].done = try known(plans[index])
        }
        for index in plans.indices {
            if let again = plans[index].order.again { plans[index].done = try done(again) }
        }
        try takeCached(&plans)
        guard let refusal else { return plans }
        for plan in plans where plan.order.again == nil && plan.makesVectors { await fail(plan.job, refusal) }
        return plans.filter { $0.order.again != nil || !$0.makesVectors }
    }

    /// The memories that are stored already.
    private func known(_ plan: MemorizePlan) throws -> Set<Int> {
        do {
            let memories = plan.memories(now: store.clock.wall(), retention: nil)
            let known = try store.memories.known(memories, in: plan.order.namespace, model: plan.model)
            return Set(known.indices.filter { known[$0] != nil })
        } catch let error as StoreError where error.kind == .conflict {
            // The namespace cannot hold these memories. The settlement will refuse them and say why.
            return []
        }
    }

    /// The memories that no longer need to be re-embedded: they are gone, have changed, or have their vector.
    private func done(_ again: MemoryOrder.Again) throws -> Set<Int> {
        try store.memories.withSnapshot { snapshot in
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
        let vectors = try store.cache.replies(digests).compactMapValues { reply in
            // A damaged entry counts as none: the text is embedded again, which replaces it.
            reply.vectors?.first.flatMap { try? MemoryVector($0) }
        }
        for index in plans.indices where plans[index].order.usesCache { plans[index].take(vectors) }
    }

    // MARK: Settling

    private func fail(_ job: ClaimedJob, _ sentence: String) async {
        var call = JobCall(job)
        call.end(.unsent(sentence))
        await settle(&call)
    }

    private func handBack(_ job: ClaimedJob) async {
        var call = JobCall(job)
        call.handBack()
        await settle(&call)
    }

    /// Settles jobs whose memories are complete without a call.
    private func settleWithoutCall(_ calls: [JobCall]) async {
        let now = store.clock.wall()
        await settle(
            calls.map { call in
                guard inFlight.reason(for: call.job.lease) != nil else { return settlements.endWithoutCall(call, now: now) }
                return settlements.end(call, Attempt(cause(of: .failure(.notStarted), call.job), latency: 0), now: now)
            })
    }
}

extension JobCall {
    /// Whether no text needs a call.
    fileprivate var isComplete: Bool { plan?.open.isEmpty ?? true }
}
