import AgentQueueModel

extension ClaimStore {
    /// Ends an attempt: outcome, result, usage, cache entry and next state, in one transaction, and only under the
    /// lease's token. A late settle whose token still is the job's is accepted.
    package func settle(_ request: SettleRequest) async throws -> SettleResult {
        try await settle([request])[0]
    }

    /// Ends the attempts of several jobs, in one transaction; each as by ``settle(_:)``, and each alone refused by the fence.
    /// - Throws: `StoreError`, and nothing is settled: `conflict` where one of them brings what its namespace cannot hold, `notFound` where
    ///   a memory that one of them takes to be stored is gone.
    package func settle(_ requests: [SettleRequest]) async throws -> [SettleResult] {
        let memories = try SettledMemories(requests)
        return try await write { transaction in
            let remembered = try memories.write(requests, transaction)
            return try requests.enumerated().map { try transaction.settle($1, found: remembered[$0] ?? []) }
        }
    }

    /// What claims leave out of jobs, by their ids.
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

    /// Ends an attempt with the answer that the cache holds; nil, and nothing changed, where it holds none any more.
    /// - Parameters:
    ///   - known: the answer, where the process has it in memory.
    ///   - notes: what its result says besides.
    ///   - next: jobs that are added if it completes.
    ///   - advance: what its run does next if it completes.
    package func settleFromCache(
        _ job: ClaimedJob, known: CachedReply? = nil, notes: [JSONValue.Member] = [], next: [NewJob] = [], advance: RunAdvance? = nil
    ) async throws -> SettleResult? {
        try await write { transaction in
            guard let cached = try known ?? transaction.cachedReply(job.answerDigest) else { return nil }
            return try transaction.settle(job, unpaid: SharedResult(cached), advance) {
                var shown = cached
                let notes = try notes + transaction.enqueue(next: next)
                if !notes.isEmpty { shown.reply = try JSONValue.parse(cached.reply).with(notes).text }
                try transaction.complete(job.id, lane: job.laneID, job.answerDigest, from: shown)
            }
        }
    }

    /// Ends an attempt with the answer to a near prompt.
    /// - Parameter advance: what its run does next if it completes.
    package func settle(_ job: ClaimedJob, from match: SemanticMatch, advance: RunAdvance? = nil) async throws -> SettleResult {
        try await write { transaction in
            var answer = SharedResult(match.reply)
            answer.reply = match.shownReply
            return try transaction.settle(job, unpaid: answer, advance) {
                try transaction.complete(job.id, lane: job.laneID, from: match)
            }
        }
    }

    /// Charges a job for a call that was made on the way to its answer, such as the embedding of its prompt.
    /// - Parameter message: how it failed, in a sentence; empty if it did not.
    package func charge(_ report: CallReport, _ message: String, besides job: ClaimedJob) async throws {
        try await write { transaction in
            try transaction.record(report, nil, token: job.lease.token, message: message, CallPolicies())
            guard let charge = Charge(report, isFenced: false) else { return }
            if charge.outcome == .answered {
                transaction.ledger.pay(lane: job.laneID, usage: charge.usage, cost: charge.cost, calls: 0)
            }
            try transaction.charge(charge, to: ChargedClaim(job))
        }
    }
}

extension WriteTransaction {
    /// Ends an attempt with an answer that no call of its own was made for.
    fileprivate func settle(
        _ job: ClaimedJob, unpaid answer: SharedResult, _ advance: RunAdvance?, _ complete: () throws -> Void
    ) throws -> SettleResult {
        if let advance, try !isCurrent(advance) { return .stale }
        guard let state = try endAttempt(SettleRequest(job: job, settlement: Settlement(state: .completed))) else { return .fenced }
        _ = try closeCall(of: ChargedClaim(job), nil, message: "", CallPolicies())
        if state == .completed { try complete() }
        // Before the end of a job that was cancelled: its followers have their answer, and none has to ask again.
        if job.useCache { try fanOut(job.digest, answer) }
        try recordFinish(of: job.id, state)
        if let advance, state == .completed { try write(advance) }
        return .settled(state)
    }

    /// Adds the jobs that follow one. Returns what its result says of them.
    func enqueue(next jobs: [NewJob]) throws -> [JSONValue.Member] {
        guard !jobs.isEmpty else { return [] }
        return [.init("next_jobs", .array(try jobs.map { .integer(try enqueue($0).id) }))]
    }

    /// Ends an attempt.
    /// - Parameter found: what came of it in this transaction, for its result.
    func settle(_ request: SettleRequest, found: [JSONValue.Member] = []) throws -> SettleResult {
        if let advance = request.advance, try !isCurrent(advance) { return .stale }
        let job = request.job
        let reply = request.result?.reply.text
        // Before the fence: a reply that was paid for serves the next attempt, whoever makes it.
        if let result = request.result, let reply {
            if let entry = request.cache { try cache(entry, result: result, reply: reply) }
            let isCompanion = request.call?.isCompanion ?? false
            // What was remembered without a call was not paid for.
            if result.answeredBy != .cache {
                ledger.pay(lane: job.laneID, usage: result.usage, cost: result.cost, calls: isCompanion ? 0 : 1)
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
        if let error = error(of: request, charge) { try addError(job: job.id, error) }
        if state == .cancelled, request.result != nil, request.error == nil {
            try addError(job: job.id, attempt: job.attempt, .cancelled, "cancelled while it ran; its call went on for identical jobs")
        }
        // Before the end of a job that was cancelled: its followers have their answer, and none has to ask again.
        if job.useCache, let result = request.result, let reply { try fanOut(job.digest, SharedResult(reply: reply, result)) }
        if state.isFinal {
            try recordFinish(of: job.id, state)
            if let advance = request.advance, state == request.settlement.state { try write(advance) }
        } else if job.useCache {
            try promoteFollowers(of: job.digest)
        }
        return .settled(state)
    }

    /// Frees what was set aside for a claim's call, draws what follows from the call's end, and writes what it cost. The claim must
    /// have been found to hold.
    /// - Parameter report: what the call was; nil where none was made.
    func closeCall(
        of claim: ChargedClaim, _ report: CallReport?, message: String, _ policies: CallPolicies
    ) throws(SQLFailure) -> Charge? {
        var reservation = claim.isReserved ? try reservation(of: claim.lease) : nil
        if let held = reservation {
            try forget(held)
            // A job leaves a call that others share: the call goes on, and theirs is the next to answer for it.
            let isUnmade = report.map { $0.neverBegan && !$0.isCompanion } ?? true
            if isUnmade, held.estimate.requests == 1, try passOn(held) { reservation?.estimate.requests = 0 }
        }
        guard reservation != nil || report != nil else { return nil }
        try record(report, reservation, token: claim.lease.token, message: message, policies)
        guard let report, let charge = Charge(report, isFenced: false) else { return nil }
        try self.charge(charge, to: claim)
        return charge
    }

    /// Lets another job of a shared call stand for the call. Returns whether there is one.
    private func passOn(_ reservation: Reservation) throws(SQLFailure) -> Bool {
        try statement(
            """
            UPDATE reservations SET requests = 1
            WHERE job_id = (SELECT job_id FROM reservations WHERE call = ? AND requests = 0 ORDER BY job_id LIMIT 1)
            """
        ).bind(reservation.call).run() == 1
    }

    /// The failure as it is noted: with what was called, what it cost, and what had arrived. What a call that failed cost is noted
    /// even where its failure is not worth it: a budget counts it.
    func error(of request: SettleRequest, _ charge: Charge?) -> JobError? {
        let cost = charge.map { $0.outcome == .answered ? 0 : $0.cost } ?? 0
        guard var error = request.error else {
            guard cost > 0 else { return nil }
            return JobError(
                attempt: request.job.attempt, at: now, failure: request.call?.failure ?? .retryable,
                message: "given up while its call was under way", target: charge?.target.description, cost: cost)
        }
        error.target = error.target ?? request.call?.target.description
        error.cost = max(error.cost, cost)
        error.partialText = error.partialText ?? request.call?.partialText
        return error
    }
}

/// How a claim ends: everything that one transaction writes.
package struct SettleRequest: Sendable {
    /// The claimed job.
    package var job: ClaimedJob
    /// What becomes of it.
    package var settlement: Settlement
    /// The answer, where there is one.
    package var result: JobResult?
    /// The failure, where there is one.
    package var error: JobError?
    /// What to keep of the answer.
    package var cache: CacheWrite?
    /// What was called, where anything was: nil gives back what was set aside for the call.
    package var call: CallReport?
    /// What the configuration says about calling providers.
    package var policies: CallPolicies
    /// What it remembers if it completes; its result then tells what became of that.
    package var memories: MemoryWrite?
    /// What memories get from it if it completes: vectors of another model than before.
    package var spaceVectors: SpaceVectors?
    /// Jobs that are added if it ends as ``settlement`` says; the result of one that completes names them.
    package var next: [NewJob] = []
    /// What its run does next, if it ends as ``settlement`` says: decided from the run as it was, and void if that has changed.
    package var advance: RunAdvance?
    /// What its result says besides the reply: members that the cache does not keep.
    package var notes: [JSONValue.Member] = []
    /// Answers that are kept only if the fence refuses the settlement: else they are remembered, and need not be.
    package var rescued: [CacheableAnswer] = []

    /// Makes a request.
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

/// What a settle came to.
package enum SettleResult: Sendable, Equatable {
    /// The job is now in that state.
    case settled(JobState)
    /// The fence refused it: the lease's token is no longer the job's. What was paid for is in the cache all the same.
    case fenced
    /// Its run has changed since what it does next was decided: nothing was written.
    case stale
}

/// What a claim leaves out of a job, for few ask for it.
package struct JobContext: Sendable, Equatable {
    /// The queue it waited in.
    package var queue: String
    /// The user's own data, a JSON object.
    package var metadata: JSONValue?
    /// The batch it belongs to.
    package var batch: String?

    /// Makes them.
    package init(queue: String, metadata: JSONValue?, batch: String? = nil) {
        self.queue = queue
        self.metadata = metadata
        self.batch = batch
    }
}
