import AgentQueueMemory
import AgentQueueModel
import AgentQueueStore
import Logging

/// Jobs whose prompts get memories, and jobs whose answers are remembered.
extension JobRunner {
    /// Puts memories into the prompt of a job that asks for them, and removes the fields that ask. From here on the cache may serve the
    /// job, under the key of the complete prompt.
    func recall(_ call: inout JobCall) async {
        // A job that uses memories is stored as one that bypasses the cache, since its prompt is complete only now. A body that is no JSON
        // is reported when the call is made.
        guard call.isOpen, call.job.kind == .generate, !call.job.useCache, let body = try? JSONValue.parse(call.job.body) else { return }
        do {
            guard let use = try MemoryUse(body) else { return }
            try await recall(use, for: &call, MemoryUse.removed(from: body))
            await fromCache(&call)
        } catch let failure as ModelFailure {
            call.end(cause(of: failure, call.job))
        } catch let damage as DamagedValue {
            call.end(cause(of: .unsent("the stored request is damaged: \(damage)"), call.job))
        } catch is CancellationError {
            call.handBack()
        } catch {
            logger.warning("memories could not be recalled", metadata: ["job": .stringConvertible(call.job.id), "error": "\(error)"])
            call.end(cause(of: .notReached("memories could not be recalled", error), call.job))
        }
    }

    private func recall(_ use: MemoryUse, for call: inout JobCall, _ body: JSONValue) async throws {
        var used = UsedMemories(use: use)
        if use.remember != nil {
            used.context = try store.claims.context(of: [call.job.id])[call.job.id]
            used.identity = configuration.memory.flatMap { providers[$0.model.provider]?.identity } ?? ""
        }
        var asked = body
        if use.recall != nil, let text = RecallPrompt.text(of: body) {
            let hits = try await recall(use, by: text, for: call.job)
            if let block = RecallPrompt.block(hits.map(\.memory.text), template: configuration.memory?.recallTemplate ?? "") {
                asked = RecallPrompt.body(body, with: block.text)
                used.recalled = hits.prefix(block.count).map { ($0.memory.id, $0.score) }
                // What the client wrote has no memories in it.
                call.job.native = nil
            }
            await noteRecalled(used)
        }
        let request = ModelRequest(kind: call.job.kind, target: call.job.route, body: asked)
        (call.job.body, call.job.answerDigest) = request.sealed(identity: providers[call.job.route.provider]?.identity ?? "")
        call.job.useCache = use.usesCache && configuration.cacheTimeToLive != nil
        call.job.cachedAt = call.job.useCache ? try store.cache.reply(call.job.answerDigest)?.createdAt : nil
        call.memory = .used(used)
    }

    /// Records the use of memories, which pruning takes into account. A failure does not stop the job.
    private func noteRecalled(_ used: UsedMemories) async {
        do {
            try await store.memories.noteRecalled(used.recalled.map(\.id))
        } catch {
            logger.warning("it could not be noted which memories were recalled", metadata: ["error": "\(error)"])
        }
    }

    private func cause(of failure: ModelFailure, _ job: ClaimedJob) -> ModelFailure {
        if case .failure(let failure) = cause(of: .failure(failure), job) { failure } else { failure }
    }

    /// The memories near a text. Whatever stops the job stops the search.
    private func recall(_ use: MemoryUse, by text: String, for job: ClaimedJob) async throws -> [MemoryHit] {
        guard let recaller else { throw ModelFailure.unsent("this worker does not recall") }
        let found: Result<[MemoryHit], any Error> = await inFlight.run(for: [job.lease]) {
            do { return .success(try await recaller.recall(use, by: text, for: job)) } catch { return .failure(error) }
        }
        guard inFlight.reason(for: job.lease) == nil else { throw ModelFailure.notStarted }
        return try found.get()
    }
}

/// How a `generate` job uses memories.
struct UsedMemories: Sendable {
    var use: MemoryUse
    /// The memories in its prompt, best first.
    var recalled: [(id: Int64, score: Double)] = []
    /// The job's queue and metadata; nil if they are not needed.
    var context: JobContext?
    /// The identity of the provider that embeds its answer.
    var identity = ""

    /// The maximum size of a memory's text, in bytes, less what a truncated character may add.
    private static let maxRemembered = (1 << 20) - 8

    /// What the job's result reports besides the answer.
    var notes: [JSONValue.Member] {
        guard use.recall != nil else { return [] }
        let memories = recalled.map { memory in
            // Four digits are precise enough, and independent of the order of additions.
            JSONValue.object([.init("id", .integer(memory.id)), .init("score", .double((memory.score * 10_000).rounded() / 10_000))])
        }
        return [.init("recalled", .array(memories))]
    }

    /// The job that remembers a job's answer; none if the job does not ask for it, or there is no text.
    func next(of job: ClaimedJob, text: String?, _ memory: MemoryConfiguration?) -> [NewJob] {
        guard let namespace = use.remember, let memory, let text, !text.unicodeScalars.allSatisfy(\.properties.isWhitespace) else {
            return []
        }
        var order = MemoryOrder(namespace: namespace, prefix: memory.prefixes(memory.model).passage)
        order.usesCache = use.usesCache
        // Of a longer answer, the beginning is remembered.
        let beginning =
            text.utf8.count <= Self.maxRemembered ? text : String(decoding: text.utf8.prefix(Self.maxRemembered), as: UTF8.self)
        var next = NewJob(order, texts: [beginning.replacing("\0", with: " ")], target: memory.model, identity: identity)
        next.queue = context?.queue ?? "default"
        next.priority = job.priority
        let own = (context?.metadata?.members ?? []).filter { $0.key != "job_id" }
        next.metadata = .object(own + [.init("job_id", .integer(job.id))])
        return [next]
    }
}
