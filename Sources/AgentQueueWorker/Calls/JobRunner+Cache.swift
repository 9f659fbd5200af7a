import AgentQueueModel
import AgentQueueStore
import Logging

/// The stages before the call: the job's target, and answers that are known already.
extension JobRunner {
    /// Adapts the cache key of a job that goes to another target than its own.
    func route(_ call: inout JobCall) async {
        let job = call.job
        // A damaged request is reported when the call is made.
        guard call.isOpen, job.route != job.target, var request = try? ModelRequest(job), let provider = providers[job.route.provider]
        else { return }
        request.target = job.route
        call.job.answerDigest = request.digest(identity: provider.identity)
        // The claim looked up the job's own target only.
        call.job.cachedAt = nil
        // The key says nothing of what only the client's own form says, so that it would serve requests that differ.
        guard job.native == nil else {
            call.job.answerDigest = []
            return
        }
        guard job.useCache else { return }
        do {
            call.job.cachedAt = try store.cache.reply(call.job.answerDigest)?.createdAt
        } catch {
            call.end(.notReached("the cache could not be read", error))
        }
    }

    /// Settles a job that the cache answers. If the answer is gone, the job goes on, unless the claim counted on the answer: then it is
    /// handed back, and the next claim reserves what its call needs.
    func fromCache(_ call: inout JobCall) async {
        guard call.isOpen, call.job.isCached else { return }
        do {
            if try await settleFromCache(call) {
                call.state = .settled
            } else if call.isClaimedForCache {
                call.handBack()
            }
        } catch {
            logger.warning("a cached answer could not be settled", metadata: ["job": .stringConvertible(call.job.id), "error": "\(error)"])
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
            try await store.claims.settleFromCache(
                job, known: known, notes: used?.notes ?? [], next: next, sent: call.sentBody, advance: advance)
        }
        guard let settled else { return false }
        announce(job, settled, answeredBy: .cache)
        return true
    }

    /// The cached answer, from memory or else from the store; nil if it is gone.
    private func cachedReply(for job: ClaimedJob) throws -> CachedReply? {
        if let reply = cache?.reply(job.answerDigest, version: job.cachedAt) { return reply }
        guard let reply = try store.cache.reply(job.answerDigest) else { return nil }
        cache?.insert(job.answerDigest, reply)
        return reply
    }

    // MARK: Semantic cache

    /// Settles a job with the answer to a similar prompt, if the semantic cache has one. It never fails a job: if the embedding model or the
    /// store fails, that is logged, and the call is made.
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
            logger.warning(
                "a near prompt's answer could not be settled", metadata: ["job": .stringConvertible(job.id), "error": "\(error)"])
        }
        call.lookup = nil
    }

    /// Searches for similar prompts. The embedding is charged to the job.
    private func lookup(for call: JobCall) async -> SemanticLookup? {
        let job = call.job
        // A prompt with memories is not compared, since the memories would count as part of its meaning.
        guard let semantic, let policy = configuration.semantic, job.kind == .generate, job.useCache, job.route == job.target,
            call.usedMemories == nil, policy.holds(for: job.target), let provider = providers[job.route.provider],
            let request = try? ModelRequest(job),
            // What the key of a client's own request tells apart, its prompt alone does not.
            job.native == nil || request.digest(identity: provider.identity) == job.digest
        else { return nil }
        let embedding = LockedValue<Outcome?>(nil)
        // Whatever stops the job stops the search.
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
            logger.warning("an embedding could not be charged", metadata: ["job": .stringConvertible(job.id), "error": "\(error)"])
        }
        return lookup
    }

    /// Adds the prompt of an answered call to the semantic cache.
    func rememberPrompt(of call: JobCall) async {
        guard let lookup = call.lookup, lookup.match == nil, let semantic, call.job.route == call.job.target else { return }
        await semantic.remember(lookup, digest: call.job.answerDigest)
    }
}

extension CachedReply {
    /// The answer's text; nil if it has none.
    func text() throws -> String? { try JSONValue.parse(reply)["text"]?.string }
}
