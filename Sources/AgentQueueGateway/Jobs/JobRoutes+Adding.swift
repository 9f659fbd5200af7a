import AgentQueue
import AgentQueueDialects
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore

/// Adding jobs, and waiting for them.
extension JobRoutes {
    func add(_ exchange: Exchange) async throws {
        guard let time = try waitingTime(exchange.head) else {
            let receipt = try await enqueue(exchange)
            let body = ReceiptJSON.receipt(receipt).utf8(sorted: false)
            return try await exchange.response.send(receipt.duplicateOf == nil ? 201 : 200, .json, body: body)
        }
        let id = try await enqueueAndHold(exchange, atMost: time)
        guard let job = try store.jobs.get(id) else { throw GatewayError(.notFound, "The job \(id) was deleted.") }
        let body = try detail(of: job, for: exchange.head.caller).utf8(sorted: false)
        try await exchange.response.send(job.state.isFinal ? 200 : 202, .json, body: body)
    }

    private func enqueueAndHold(_ exchange: Exchange, atMost time: Duration) async throws -> Int64 {
        // Before anything else, because a client that is refused sends its job again.
        try calls.enter()
        defer { calls.leave() }
        let receipt = try await enqueue(exchange)
        if !receipt.state.isFinal { try await hold(exchange, for: receipt.id, atMost: time) }
        return receipt.id
    }

    /// Adds the job that the body is a line for. The body is released with the end of this.
    private func enqueue(_ exchange: Exchange) async throws -> Enqueued {
        let body = try await exchange.body()
        let caller = exchange.head.caller
        let job: NewJob
        do {
            job = try self.job(of: body.bytes, caller)
        } catch let error as InputError {
            throw GatewayError(.malformed, "The job is wrong: \(error.message).")
        }
        try check(job, caller)
        let receipt: Enqueued
        do {
            receipt = try await store.jobs.enqueue(job, by: caller.name)
        } catch let error as StoreError where error.kind == .conflict {
            throw GatewayError(.malformed, "The job is wrong: \(error.message).")
        }
        if receipt.duplicateOf != nil, let other = try store.jobs.get(receipt.id), !caller.sees(queue: other.queue) {
            throw GatewayError(
                .idempotencyConflict, "The unique_key belongs to a job of another key: use another one.", param: "unique_key")
        }
        exchange.notes.update { $0.job = receipt.id }
        return receipt
    }

    private func job(of line: [UInt8], _ caller: Caller) throws -> NewJob {
        var defaults = JobDraft()
        defaults.queue = caller.queue
        if let cache = caller.cache { defaults.cache = cache }
        var context = calls.context
        context.now = store.clock.wall()
        let draft = try line.withUnsafeBytes { bytes in try JobLine(defaults: defaults, context: context).draft(bytes) }
        // Memories belong to nobody: who may not see the jobs of others may not see what they remember either.
        let usesMemory = draft.kind == .memorize || draft.remembers || draft.recall != nil || !draft.namespaces.isEmpty
        if usesMemory, !caller.seesAll {
            throw GatewayError(.forbidden, "Memories are shared by all keys: use a key with the scope 'read:all'.")
        }
        var job = try draft.validated(in: context)
        if let best = caller.bestPriority { job.priority = max(job.priority, best) }
        return job
    }

    /// Whether a key may send a job: limits hold for the key's own queues, and what belongs to others is not to be touched.
    private func check(_ job: NewJob, _ caller: Caller) throws {
        if caller.keyID != 0, !caller.queues.contains(job.queue) {
            throw GatewayError(
                .forbidden, "The key's jobs go to \(caller.queues.joined(separator: " or ")): leave queue out.", param: "queue")
        }
        guard caller.mayUse(job.target) else {
            throw GatewayError(
                .forbidden, "The key \(caller.name) may not use \(job.target): use another key, or one of its models.", param: "model")
        }
        for id in job.after {
            guard let other = try store.jobs.get(id), caller.sees(queue: other.queue) else {
                throw GatewayError(.malformed, "There is no job \(id) to come after.", param: "after")
            }
        }
        if let batch = job.batch, !caller.seesAll,
            let newest = try store.jobs.list(JobFilter(batch: batch), limit: 1).first, !caller.sees(queue: newest.queue)
        {
            throw GatewayError(.forbidden, "The batch belongs to another key: use another name.", param: "batch")
        }
        try calls.checkBudget(of: caller, job)
    }

    // MARK: Waiting

    /// How long a client wants to wait for a job's end, as far as it may; nil if it does not want to.
    /// - Throws: `GatewayError`.
    func waitingTime(_ head: RequestHead) throws(GatewayError) -> Duration? {
        guard let text = head.asked("wait") else { return nil }
        do {
            return min(try DurationText.parse(text), calls.settings.maxWait)
        } catch {
            throw GatewayError(.malformed, "wait: \(error.message).", param: "wait")
        }
    }

    /// Waits until a job has ended, the time is over, or the gateway stops. The job stays, whatever becomes of the client.
    /// - Throws: ``ClientLeft``, `CancellationError`, `StoreError`.
    func hold(_ exchange: Exchange, for id: Int64, atMost time: Duration) async throws {
        let deadline = ContinuousClock.now + time
        let signal = CallSignal()
        let waiters = calls.broker.waiters
        waiters.wait(for: id, signal)
        defer { waiters.stop(id, signal) }
        exchange.presence.onDeparture { _ in signal.call() }
        defer { exchange.presence.onDeparture(nil) }
        // It may have ended before anybody waited.
        guard try store.gateway.ended(among: [id]).isEmpty else { return }
        while waiters.end(of: id) == nil, ContinuousClock.now < deadline {
            switch exchange.presence.departure {
            case nil, .closedInput: break
            case .disconnected: throw ClientLeft()
            case .stopped: return
            }
            try Task.checkCancellation()
            await signal.wait(until: deadline)
        }
    }
}
