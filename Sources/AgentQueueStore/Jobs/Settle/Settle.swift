import AgentQueueModel

extension ClaimStore {
    /// Ends an attempt in one transaction: outcome, result, usage, cache entry and next state. The lease's token must still be the job's;
    /// if it is, a late settlement is accepted too.
    package func settle(_ request: SettleRequest) async throws -> SettleResult {
        try await settle([request])[0]
    }

    /// Ends the attempts of several jobs in one transaction, each as by ``settle(_:)``. The fence refuses each job independently.
    /// - Throws: `StoreError`, with nothing settled: `conflict` if a job stores memories that its namespace cannot hold, `notFound` if a
    ///   memory that a job expects to be stored is gone.
    package func settle(_ requests: [SettleRequest]) async throws -> [SettleResult] {
        let memories = try SettledMemories(requests)
        return try await write { transaction in
            let remembered = try memories.write(requests, transaction)
            return try requests.enumerated().map { try transaction.settle($1, found: remembered[$0] ?? []) }
        }
    }

    /// Returns what a claim leaves out of jobs, by job id.
    package func context(of ids: [Int64]) throws -> [Int64: JobContext] {
        try read { reader in
            var contexts: [Int64: JobContext] = [:]
            for id in ids {
                contexts[id] = try reader.statement(
                    """
                    SELECT lanes.queue, requests.metadata, batches.name FROM jobs JOIN lanes ON lanes.id = lane_id
                    JOIN requests ON job_id = jobs.id LEFT JOIN batches ON batches.id = batch_id WHERE jobs.id = ?
                    """
                ).bind(id).first { row in
                    JobContext(
                        queue: row.text(0), metadata: try row.optionalText(1).map { try JSONValue.parse($0) }, batch: row.optionalText(2))
                }
            }
            return contexts
        }
    }

    /// Ends an attempt with the cached answer. Returns nil and changes nothing if the cache no longer holds one.
    /// - Parameters:
    ///   - known: the answer, if the process has it in memory.
    ///   - notes: members that the result has besides the reply.
    ///   - next: jobs to add if the job completes.
    ///   - sent: the request that was looked up, if it is not the job's own.
    ///   - advance: what the job's run does next if the job completes.
    package func settleFromCache(
        _ job: ClaimedJob, known: CachedReply? = nil, notes: [JSONValue.Member] = [], next: [NewJob] = [], sent: String? = nil,
        advance: RunAdvance? = nil
    ) async throws -> SettleResult? {
        try await write { transaction in
            guard let cached = try known ?? transaction.cachedReply(job.answerDigest) else { return nil }
            return try transaction.settle(job, unpaid: SharedResult(cached), advance) {
                var shown = cached
                if let sent { try transaction.recordSent(sent, of: job.id) }
                let notes = try notes + transaction.enqueue(next: next)
                if !notes.isEmpty { shown.reply = try JSONValue.parse(cached.reply).with(notes).text }
                try transaction.complete(job.id, lane: job.laneID, job.answerDigest, from: shown)
            }
        }
    }

    /// Ends an attempt with the answer to a similar prompt.
    /// - Parameter advance: what the job's run does next if the job completes.
    package func settle(_ job: ClaimedJob, from match: SemanticMatch, advance: RunAdvance? = nil) async throws -> SettleResult {
        try await write { transaction in
            var answer = SharedResult(match.reply)
            answer.reply = match.shownReply
            return try transaction.settle(job, unpaid: answer, advance) {
                try transaction.complete(job.id, lane: job.laneID, from: match)
            }
        }
    }

    /// Charges a job for an auxiliary call, such as the embedding of its prompt.
    /// - Parameter message: why the call failed, as a sentence; empty if it succeeded.
    package func charge(_ report: CallReport, _ message: String, besides job: ClaimedJob) async throws {
        try await write { transaction in
            try transaction.record(report, nil, token: job.lease.token, message: message, CallPolicies())
            guard let charge = Charge(report, isFenced: false) else { return }
            if charge.outcome == .answered {
                transaction.ledger.pay(
                    lane: job.laneID, target: charge.target, usage: charge.usage, cost: charge.knownCost, calls: 0,
                    unpriced: Int64(charge.calls))
            }
            try transaction.charge(charge, to: ChargedClaim(job))
        }
    }
}

extension WriteTransaction {
    /// Ends an attempt with an answer for which the job made no call.
    fileprivate func settle(
        _ job: ClaimedJob, unpaid answer: SharedResult, _ advance: RunAdvance?, _ complete: () throws -> Void
    ) throws -> SettleResult {
        if let advance, try !isCurrent(advance) { return .stale }
        guard let state = try endAttempt(SettleRequest(job: job, settlement: Settlement(state: .completed))) else { return .fenced }
        _ = try closeCall(of: ChargedClaim(job), nil, message: "", CallPolicies())
        if state == .completed { try complete() }
        // Fan out before recording the finish, even if the job was cancelled, so that its followers get this answer and none has to call
        // again.
        if job.useCache { try fanOut(job.digest, answer) }
        try recordFinish(of: job.id, state)
        if let advance, state == .completed { try write(advance) }
        return .settled(state)
    }

    /// Adds the jobs that follow a job. Returns the member of its result that names them.
    func enqueue(next jobs: [NewJob]) throws -> [JSONValue.Member] {
        guard !jobs.isEmpty else { return [] }
        return [.init("next_jobs", .array(try jobs.map { .integer(try enqueue($0).id) }))]
    }

    /// Ends an attempt.
    /// - Parameter found: members for the result that this transaction produced, such as those about stored memories.
    func settle(_ request: SettleRequest, found: [JSONValue.Member] = []) throws -> SettleResult {
        if let advance = request.advance, try !isCurrent(advance) { return .stale }
        let job = request.job
        let reply = request.result?.reply.text
        // This comes before the fence: a reply that was paid for serves the next attempt, whoever makes it.
        if let result = request.result, let reply {
            if let entry = request.cache { try cache(entry, result: result, reply: reply) }
            let isCompanion = request.call?.isCompanion ?? false
            // A cached answer was not paid for.
            if result.answeredBy != .cache {
                ledger.pay(lane: job.laneID, target: job.route, usage: result.usage, cost: result.cost, calls: isCompanion ? 0 : 1)
            }
            if job.useCache { ledger.count(.cacheMisses) }
        }
        guard let state = try endAttempt(request) else {
            for answer in request.rescued { try cache(answer.entry, result: answer.result, reply: answer.result.reply.text) }
            if let call = request.call { try chargeLate(call, to: ChargedClaim(job)) }
            return .fenced
        }
        let charge = try closeCall(of: ChargedClaim(job), request.call, message: request.error?.message ?? "", request.policies)
        let added = try state == request.settlement.state ? enqueue(next: request.next) : []
        if state == .completed, let result = request.result, let reply {
            let notes = request.notes + found + added
            try writeResult(
                of: job.id, reply: notes.isEmpty ? reply : result.reply.with(notes).text, by: result.answeredBy, target: result.target,
                usage: result.usage, cost: result.cost, latency: result.latency)
        }
        if let sent = request.sent { try recordSent(sent, of: job.id) }
        if let error = error(of: request, charge) { try addError(job: job.id, error) }
        if state == .cancelled, request.result != nil, request.error == nil {
            try addError(job: job.id, attempt: job.attempt, .cancelled, "cancelled while it ran; its call went on for identical jobs")
        }
        // Fan out before recording the finish, even if the job was cancelled, so that its followers get this answer and none has to call
        // again.
        if job.useCache, let result = request.result, let reply { try fanOut(job.digest, SharedResult(reply: reply, result)) }
        if state.isFinal {
            try recordFinish(of: job.id, state)
            if let advance = request.advance, state == request.settlement.state { try write(advance) }
        } else if job.useCache {
            try promoteFollowers(of: job.digest)
        }
        return .settled(state)
    }

    /// Frees a claim's reservation, records what its call says about the provider, and writes the cost. The caller must have checked the
    /// lease.
    /// - Parameter report: the call; nil if none was made.
    func closeCall(
        of claim: ChargedClaim, _ report: CallReport?, message: String, _ policies: CallPolicies
    ) throws(SQLFailure) -> Charge? {
        var reservation = claim.isReserved ? try reservation(of: claim.lease) : nil
        if let held = reservation {
            try forget(held)
            // When a job leaves a shared call, the call goes on, so another of its jobs must carry the request count.
            let isUnmade = report.map { $0.neverBegan && !$0.isCompanion } ?? true
            if isUnmade, held.estimate.requests == 1, try passOn(held) { reservation?.estimate.requests = 0 }
        }
        guard reservation != nil || report != nil else { return nil }
        try record(report, reservation, token: claim.lease.token, message: message, policies)
        guard let report else { return nil }
        let charge = Charge(report, isFenced: false)
        if report.failure != nil, !report.neverBegan, !report.isCompanion {
            ledger.fail(lane: claim.lane, target: report.target, isPaid: charge?.outcome == .failed && report.calls > 0)
        }
        if let charge { try self.charge(charge, to: claim) }
        return charge
    }

    /// Moves the request count of a shared call to another of its jobs. Returns whether there is one.
    private func passOn(_ reservation: Reservation) throws(SQLFailure) -> Bool {
        try statement(
            """
            UPDATE reservations SET requests = 1
            WHERE job_id = (SELECT job_id FROM reservations WHERE call = ? AND requests = 0 ORDER BY job_id LIMIT 1)
            """
        ).bind(reservation.call).run() == 1
    }

    /// Returns the error to record, with the target, the cost and any partial text. If a failed call cost something, an error is recorded
    /// even if the request has none, because budgets count it.
    func error(of request: SettleRequest, _ charge: Charge?) -> JobError? {
        let isAnswered = charge?.outcome == .answered
        let cost = isAnswered ? 0 : charge?.cost ?? 0
        guard var error = request.error else {
            guard cost > 0 else { return nil }
            return JobError(
                attempt: request.job.attempt, at: now, failure: request.call?.failure ?? .retryable,
                message: "given up while its call was under way", target: charge?.target.description, cost: cost)
        }
        error.target = error.target ?? request.call?.target.description
        error.cost = error.cost.map { max($0, cost) }
        if let charge, !isAnswered, !charge.isPriced { error.cost = nil }
        error.partialText = error.partialText ?? request.call?.partialText
        return error
    }
}

/// How a claim ends: everything that is written in one transaction.
package struct SettleRequest: Sendable {
    package var job: ClaimedJob
    /// The state that the job goes to.
    package var settlement: Settlement
    package var result: JobResult?
    package var error: JobError?
    /// The cache entry to write for the answer.
    package var cache: CacheWrite?
    /// The call, if one was made; nil returns the reservation.
    package var call: CallReport?
    /// The configured call policies.
    package var policies: CallPolicies
    /// Memories to store if the job completes; its result then says what happened to them.
    package var memories: MemoryWrite?
    /// Vectors by a new embedding model that memories receive if the job completes.
    package var spaceVectors: SpaceVectors?
    /// Jobs to add if the job ends as ``settlement`` says; the result of a completed job names them.
    package var next: [NewJob] = []
    /// What the job's run does next if the job ends as ``settlement`` says. It was decided from a snapshot of the run and is void if the
    /// run has changed.
    package var advance: RunAdvance?
    /// Members that the result has besides the reply; the cache does not keep them.
    package var notes: [JSONValue.Member] = []
    /// The request that was sent, if it is not the job's own.
    package var sent: String?
    /// Answers to cache only if the fence refuses the settlement; otherwise they are stored as memories and need no entry.
    package var rescued: [CacheableAnswer] = []

    package init(
        job: ClaimedJob, settlement: Settlement, result: JobResult? = nil, error: JobError? = nil, cache: CacheWrite? = nil,
        call: CallReport? = nil, policies: CallPolicies = CallPolicies()
    ) {
        self.job = job
        self.settlement = settlement
        self.result = result
        self.error = error
        self.cache = cache
        self.call = call
        self.policies = policies
    }
}

/// The outcome of a settlement.
package enum SettleResult: Sendable, Equatable {
    /// The job is now in this state.
    case settled(JobState)
    /// The fence refused it, because the lease's token is no longer the job's. An answer that was paid for is cached all the same.
    case fenced
    /// The run has changed since its next steps were decided; nothing was written.
    case stale
}

/// What a claim leaves out of a job, because few callers need it.
package struct JobContext: Sendable, Equatable {
    /// The queue that the job was in.
    package var queue: String
    /// The user's own data: a JSON object.
    package var metadata: JSONValue?
    /// The name of the job's batch.
    package var batch: String?

    package init(queue: String, metadata: JSONValue?, batch: String? = nil) {
        self.queue = queue
        self.metadata = metadata
        self.batch = batch
    }
}
