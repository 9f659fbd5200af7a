import AgentQueueModel
import AgentQueueStore
import Logging

/// Where a job goes, and what is known of its answer before anything is called.
extension JobRunner {
    /// A job that goes to another target than its own is answered from, and kept in, the cache under what is really asked.
    func route(_ call: inout JobCall) async {
        let job = call.job
        // A damaged request is found when it is to be sent.
        guard call.isOpen, job.route != job.target, var request = try? ModelRequest(job), let provider = providers[job.route.provider]
        else { return }
        request.target = job.route
        call.job.answerDigest = request.digest(identity: provider.identity)
        // The claim has looked for the job's own target only.
        call.job.cachedAt = nil
        guard job.useCache else { return }
        do {
            call.job.cachedAt = try store.cache.reply(call.job.answerDigest)?.createdAt
        } catch {
            call.end(.notReached("the cache could not be read", error))
        }
    }

    /// Settles a call that the cache answers. One whose answer is gone goes on, unless it was claimed for that: then it is handed back,
    /// for the next claim to reserve what a call of its own needs.
    func fromCache(_ call: inout JobCall) async {
        guard call.isOpen, call.job.isCached else { return }
        do {
            if try await settleFromCache(call) {
                call.state = .settled
            } else if call.isClaimedForCache {
                call.handBack()
            }
        } catch {
            logger.warning("a cached answer could not be settled", metadata: ["job": "\(call.job.id)", "error": "\(error)"])
            call.end(.notReached("a cached answer could not be used", error))
        }
    }

    private func settleFromCache(_ call: JobCall) async throws -> Bool {
        let job = call.job
        guard let known = try cachedReply(for: job) else { return false }
        let used = call.usedMemories
        let text = job.runID == nil && used?.use.remember == nil ? nil : try known.text()
        let next = used?.next(of: job, text: text, configuration.memory) ?? []
        let settled = try await advancing(job, text.map { .completed(text: $0) }) { [store] advance in
            try await store.claims.settleFromCache(job, known: known, notes: used?.notes ?? [], next: next, advance: advance)
        }
        guard let settled else { return false }
        announce(job, settled, answeredBy: .cache)
        return true
    }

    /// What the cache answers: from memory, or else from the store; nil where it is gone.
    private func cachedReply(for job: ClaimedJob) throws -> CachedReply? {
        if let reply = cache?.reply(job.answerDigest, version: job.cachedAt) { return reply }
        guard let reply = try store.cache.reply(job.answerDigest) else { return nil }
        cache?.insert(job.answerDigest, reply)
        return reply
    }

    // MARK: Near prompts

    /// Settles a call that the answer to a near prompt serves, where that is asked for. It never fails a job: where the embedding model or
    /// the store does not answer, nothing is near, and that is logged.
    func fromNearPrompt(_ call: inout JobCall) async {
        guard call.isOpen else { return }
        call.lookup = await lookup(for: call)
        guard let match = call.lookup?.match else { return }
        let job = call.job
        do {
            let text = job.runID == nil ? nil : try match.reply.text()
            let settled = try await advancing(job, text.map { .completed(text: $0) }) { [store] advance in
                try await store.claims.settle(job, from: match, advance: advance)
            }
            if let settled {
                announce(job, settled, answeredBy: .cache)
                call.state = .settled
                return
            }
        } catch {
            logger.warning("a near prompt's answer could not be settled", metadata: ["job": "\(job.id)", "error": "\(error)"])
        }
        call.lookup = nil
    }

    /// What earlier prompts are near a job's. The embedding is charged to the job.
    private func lookup(for call: JobCall) async -> SemanticLookup? {
        let job = call.job
        // The memories in a prompt would count as its meaning.
        guard let semantic, let policy = configuration.semantic, job.kind == .generate, job.useCache, job.route == job.target,
            call.usedMemories == nil, policy.holds(for: job.target), let provider = providers[job.route.provider],
            let request = try? ModelRequest(job)
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
            let report = CallPricing(prices: configuration.prices).report(outcome, target: policy.model)
            try await store.claims.charge(report, message, besides: job)
        } catch {
            logger.warning("an embedding could not be charged", metadata: ["job": "\(job.id)", "error": "\(error)"])
        }
        return lookup
    }

    /// Remembers where the prompt of a call lies whose answer is in the cache now.
    func rememberPrompt(of call: JobCall) async {
        guard let lookup = call.lookup, lookup.match == nil, let semantic, call.job.route == call.job.target else { return }
        await semantic.remember(lookup, digest: call.job.answerDigest)
    }
}

extension CachedReply {
    /// The answer's text; nil where it has none.
    func text() throws -> String? { try JSONValue.parse(reply)["text"]?.string }
}
