import AgentQueueMemory
import AgentQueueModel
import AgentQueueStore
import Logging

/// Jobs whose prompts hold memories, and jobs whose answers are remembered.
extension JobRunner {
    /// What a job asks for of memories; nil where it asks for nothing.
    func memoryUse(of job: ClaimedJob) -> MemoryUse? {
        // A job that does is stored as one that the cache does not serve: what is really asked is known only here.
        guard job.kind == .generate, !job.useCache, let body = try? JSONValue.parse(job.body) else { return nil }
        return MemoryUse(body)
    }

    /// A job as it is called for: with memories in its prompt, and without what says so.
    /// - Returns: the job, and what it was given; or how its attempt ended before it was called for.
    func prepared(_ job: ClaimedJob, _ use: MemoryUse) async -> Result<(ClaimedJob, UsedMemories), ModelFailure> {
        var used = UsedMemories(use: use)
        do {
            let body = MemoryUse.removed(from: try JSONValue.parse(job.body))
            if use.remember != nil { used.particulars = try store.context(of: [job.id])[job.id] }
            var asked = body
            if use.recall != nil, let text = RecallPrompt.text(of: body) {
                let hits = try await recall(use, by: text, for: job)
                if let block = RecallPrompt.block(hits.map(\.memory.text), template: configuration.memory?.recallTemplate ?? "") {
                    asked = RecallPrompt.body(body, with: block.text)
                    used.recalled = hits.prefix(block.count).map { ($0.memory.id, $0.score) }
                }
                try? await store.noteRecalled(used.recalled.map(\.id))
            }
            return .success((called(job, asked, use), used))
        } catch let failure as ModelFailure {
            return .failure(failure)
        } catch {
            logger.warning("memories could not be recalled", metadata: ["job": "\(job.id)", "error": "\(error)"])
            var failure = Self.notStarted
            failure.failure = .shutdown
            return .failure(failure)
        }
    }

    /// The job with another body. From here on it is one that the cache may serve, under what is really asked.
    private func called(_ job: ClaimedJob, _ body: JSONValue, _ use: MemoryUse) -> ClaimedJob {
        let request = ModelRequest(kind: job.kind, target: job.route, body: body)
        let (text, digest) = request.sealed(identity: providers[job.route.provider]?.identity ?? "")
        var job = job
        job.body = text
        job.answerDigest = digest
        job.useCache = use.usesCache && configuration.cacheTimeToLive != nil
        job.cachedAt = job.useCache ? (try? store.cachedReply(digest))?.createdAt : nil
        return job
    }

    /// The memories near a text. Stopped by ``InFlight`` for whatever stops the job.
    private func recall(_ use: MemoryUse, by text: String, for job: ClaimedJob) async throws -> [MemoryHit] {
        guard let recaller else { throw ModelFailure.unsent("this worker does not recall") }
        let found: Result<[MemoryHit], any Error> = await inFlight.run(for: [job.lease]) {
            do { return .success(try await recaller.recall(use, by: text, for: job)) } catch { return .failure(error) }
        }
        guard inFlight.reason(for: job.lease) == nil else { throw Self.notStarted }
        return try found.get()
    }

    // MARK: Remembering answers

    /// The job that remembers a job's answer; none where that is not asked for, or there is no text.
    func next(of job: ClaimedJob, text: String?) -> [NewJob] {
        guard let used = memory.used[job.id], let namespace = used.use.remember, let memory = configuration.memory, let text,
            !text.unicodeScalars.allSatisfy(\.properties.isWhitespace)
        else { return [] }
        var order = MemoryOrder(namespace: namespace, prefix: memory.prefixes(memory.model).passage)
        order.usesCache = used.use.usesCache
        let identity = providers[memory.model.provider]?.identity ?? ""
        // A longer answer is remembered by its beginning.
        let beginning =
            text.utf8.count <= Self.mostRemembered ? text : String(decoding: text.utf8.prefix(Self.mostRemembered), as: UTF8.self)
        var next = NewJob(order, texts: [beginning.replacing("\0", with: " ")], target: memory.model, identity: identity)
        next.queue = used.particulars?.queue ?? "default"
        next.priority = job.priority
        let own = (used.particulars?.metadata?.members ?? []).filter { $0.key != "job_id" }
        next.metadata = .object(own + [.init("job_id", .integer(job.id))])
        return [next]
    }

    /// The longest text of a memory, in bytes, less what an incomplete character may add.
    private static let mostRemembered = (1 << 20) - 8
}

/// What a `generate` job does with memories, and what it was given.
struct UsedMemories: Sendable {
    var use: MemoryUse
    /// The memories that stand in its prompt, the best first.
    var recalled: [(id: Int64, score: Double)] = []
    /// What it was enqueued with; nil where that is not needed.
    var particulars: JobContext?

    /// What the job's result says of it, besides the answer.
    var notes: [JSONValue.Member] {
        guard use.recall != nil else { return [] }
        let memories = recalled.map { memory in
            // Four digits tell enough, and are the same however they are worked out.
            JSONValue.object([.init("id", .integer(memory.id)), .init("score", .double((memory.score * 10_000).rounded() / 10_000))])
        }
        return [.init("recalled", .array(memories))]
    }
}
