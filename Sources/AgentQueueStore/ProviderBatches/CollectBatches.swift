import AgentQueueModel

/// What a job that was just claimed needs in a batch.
private struct BatchWish {
    /// When its deadline becomes near (wall clock, ms); nil if it has none.
    var urgentAt: Int64?
    var inputs: Int
    var bytes: Int
    var budgets: Budgets
}

/// A collecting batch while jobs are added to it.
private struct CollectingBatch {
    var id: Int64
    var jobs = 0
    var inputs: Int
    var bytes: Int
    var urgentAt: Int64?
    var isClosed = false

    func hasRoom(for wish: BatchWish, _ capacity: BatchCapacity) -> Bool {
        inputs + wish.inputs <= capacity.items && bytes + wish.bytes <= capacity.bytes
    }

    mutating func add(_ wish: BatchWish) {
        jobs += 1
        inputs += wish.inputs
        bytes += wish.bytes
        urgentAt = [urgentAt, wish.urgentAt].compactMap(\.self).min()
    }
}

extension WriteTransaction {
    /// The bytes that a request takes in a batch besides its body: its name and envelope. A conservative estimate; the provider's own
    /// measure decides before the batch is sent.
    private static let envelopeBytes = 512

    /// Moves jobs that were just claimed into a batch of their provider. They become `pending` and their attempts are given back. A job
    /// whose request is already in a batch waits for that answer.
    /// - Returns: the jobs to run now: those that did not ask for a batch, whose deadline is near, whose answer is cached, or that no
    ///   batch accepts.
    func collect(_ jobs: [ClaimedJob], _ claiming: inout ClaimBuilder) throws -> [ClaimedJob] {
        guard let first = jobs.first(where: \.waitsForBatch), let capacity = claiming.request.batchCapacities[first.target.provider],
            first.kind != .memorize
        else { return jobs }
        let wishes = try jobs.map { try batchWish(of: $0, capacity) }
        let live = Set(zip(jobs, wishes).lazy.filter { $0.useCache && $1 == nil }.map(\.0.digest))
        var batch: CollectingBatch?
        var staying: [ClaimedJob] = []
        for (job, wish) in zip(jobs, wishes) {
            guard let wish else {
                staying.append(job)
                continue
            }
            // If an identical job is running or about to run, its answer comes sooner.
            let isLive = live.contains(job.digest) || claiming.isLed(job.digest)
            if job.useCache, try isLive || isFlying(job.digest, besides: job.lease.token) {
                staying.append(job)
                continue
            }
            claiming.collected += 1
            if job.useCache, let leader = try openBatch(answering: job.digest) {
                try putBack(job, to: .pending)
                try follow(job, in: leader, wish)
                continue
            }
            if let refusal = try batchRefusal(of: job, wish.budgets, capacity, claiming.request.policies) {
                if case .notNow = refusal { claiming.isTight = true }
                try withdraw(job, refusal)
                continue
            }
            if batch == nil { batch = try collectingBatch(of: job) }
            if var full = batch, !full.hasRoom(for: wish, capacity) {
                full.isClosed = true
                try save(full)
                batch = try newBatch(of: job)
            }
            guard let id = batch?.id else { continue }
            try putBack(job, to: .pending)
            try join(job, id, wish)
            try reserveForBatch(job, wish.budgets, capacity, claiming.request.policies)
            batch?.add(wish)
        }
        if var batch {
            batch.isClosed = batch.inputs >= capacity.items
            try save(batch)
        }
        return staying
    }

    /// What the job needs in a batch; nil if no batch takes it.
    private func batchWish(of job: ClaimedJob, _ capacity: BatchCapacity) throws(SQLFailure) -> BatchWish? {
        guard job.waitsForBatch, !job.isCached, job.crashes < 2 else { return nil }
        let row = try statement(
            """
            SELECT deadline_at, created_at, inputs, budget_usd, (SELECT budget_usd FROM batches WHERE id = jobs.batch_id) FROM jobs
            WHERE id = ?
            """
        ).bind(job.id).first {
            (
                deadline: $0.optionalInt64(0), created: $0.int64(1), inputs: $0.int(2),
                budgets: Budgets(own: $0.optionalDouble(3), batch: $0.optionalDouble(4))
            )
        }
        guard let row else { return nil }
        let wish = BatchWish(
            urgentAt: row.deadline.map { BatchPolicy.nearTime(of: $0, created: row.created) }, inputs: row.inputs,
            bytes: job.body.utf8.count + Self.envelopeBytes, budgets: row.budgets)
        guard wish.urgentAt ?? .max > now, wish.inputs <= capacity.items, wish.bytes <= capacity.bytes else { return nil }
        return wish
    }

    /// Why the job's budgets do not allow its share of a batch; nil if they do.
    private func batchRefusal(
        of job: ClaimedJob, _ budgets: Budgets, _ capacity: BatchCapacity, _ policies: CallPolicies
    ) throws(SQLFailure) -> BudgetRefusal? {
        guard !budgets.isEmpty else { return nil }
        var estimate = policies.expected(job.target, job.kind, job.body)
        estimate.worstCost *= capacity.priceShare
        return try refusal(of: job, estimate, budgets)
    }

    /// Reserves the possible cost of a job in a batch if its budgets are limited. The reservation has token 0, which no lease has. It
    /// counts no request and no tokens, because batches have rate limits of their own.
    private func reserveForBatch(_ job: ClaimedJob, _ budgets: Budgets, _ capacity: BatchCapacity, _ policies: CallPolicies) throws {
        let isLimited = job.target.resourceNames.contains { policies.limits(of: $0).usdPerDay != nil }
        guard isLimited || job.keyID != nil || !budgets.isEmpty else { return }
        var estimate = CallEstimate(worstCost: policies.expected(job.target, job.kind, job.body).worstCost * capacity.priceShare)
        estimate.requests = 0
        try reserve(
            Reservation(
                lease: Lease(jobID: job.id, token: 0), call: 0, target: job.target, estimate: estimate, isProbe: false,
                batch: budgets.batch == nil ? nil : job.batchID, key: job.keyID))
    }

    /// Releases the reservation of a job in a batch.
    func releaseForBatch(_ job: Int64) throws(SQLFailure) {
        guard let reservation = try reservation(of: Lease(jobID: job, token: 0)) else { return }
        try forget(reservation)
        try record(nil, reservation, token: 0, message: "", CallPolicies())
    }

    /// The open batch that already contains an identical request.
    private func openBatch(answering digest: [UInt8]) throws(SQLFailure) -> Int64? {
        try statement(
            """
            SELECT batch_id FROM provider_batch_jobs INDEXED BY provider_batch_jobs_digest
            CROSS JOIN provider_batches ON provider_batches.id = batch_id
            WHERE digest = ? AND digest IS NOT NULL AND state <> 'returning' LIMIT 1
            """
        ).bind(digest).first { $0.int64(0) }
    }

    /// Makes a job wait for the answer to another job's request in a batch. The request takes on the more urgent of the two deadlines.
    private func follow(_ job: ClaimedJob, in batch: Int64, _ wish: BatchWish) throws(SQLFailure) {
        try insertFollower(job.id, job.digest, lane: job.laneID, priority: job.priority)
        guard let urgentAt = wish.urgentAt else { return }
        try statement("UPDATE provider_batches SET urgent_at = min(coalesce(urgent_at, ?1), ?1) WHERE id = ?2")
            .bind(urgentAt).bind(batch).run()
    }

    private func join(_ job: ClaimedJob, _ batch: Int64, _ wish: BatchWish) throws(SQLFailure) {
        let insert = try statement(
            "INSERT INTO provider_batch_jobs (batch_id, job_id, lane_id, inputs, bytes, digest) VALUES (?, ?, ?, ?, ?, ?)"
        ).bind(batch).bind(job.id).bind(job.laneID).bind(wish.inputs).bind(wish.bytes)
        if job.useCache { insert.bind(job.digest) } else { insert.bindNull() }
        try insert.run()
    }

    /// The batch that collects jobs of this target and kind; created if necessary. A batch that currently has an owner is about to be
    /// sent, and takes no more.
    private func collectingBatch(of job: ClaimedJob) throws(SQLFailure) -> CollectingBatch {
        let open = try statement(
            """
            SELECT id, inputs, bytes FROM provider_batches INDEXED BY provider_batches_open
            WHERE provider = ? AND state = 'collecting' AND state <> 'ended' AND target = ? AND kind = ? AND is_closed = 0
            AND token IS NULL ORDER BY id LIMIT 1
            """
        ).bind(job.target.provider).bind(job.target.description).bind(job.kind.rawValue).first {
            CollectingBatch(id: $0.int64(0), inputs: $0.int(1), bytes: $0.int(2))
        }
        if let open { return open }
        return try newBatch(of: job)
    }

    /// The label is random, because other databases may send batches to the same account.
    private func newBatch(of job: ClaimedJob) throws(SQLFailure) -> CollectingBatch {
        let label = "aq-" + String((0..<20).compactMap { _ in "0123456789abcdef".randomElement() })
        let id = try statement(
            """
            INSERT INTO provider_batches (target, provider, kind, state, label, created_at, due_at)
            VALUES (?1, ?2, ?3, 'collecting', ?4, ?5, ?5)
            """
        ).bind(job.target.description).bind(job.target.provider).bind(job.kind.rawValue).bind(label).bind(now).insertedID()
        ledger.ringWork()
        return CollectingBatch(id: id ?? 0, inputs: 0, bytes: 0)
    }

    private func save(_ batch: CollectingBatch) throws(SQLFailure) {
        try statement(
            """
            UPDATE provider_batches SET jobs = jobs + ?1, inputs = ?2, bytes = ?3, is_closed = ?4,
            urgent_at = coalesce(min(urgent_at, ?5), ?5, urgent_at) WHERE id = ?6
            """
        ).bind(batch.jobs).bind(batch.inputs).bind(batch.bytes).bind(batch.isClosed).bind(batch.urgentAt).bind(batch.id).run()
        if batch.isClosed { ledger.ringWork() }
    }
}
