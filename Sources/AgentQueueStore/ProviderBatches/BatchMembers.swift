import AgentQueueModel

/// A job in a provider batch.
package struct BatchMember: Sendable, Equatable {
    /// The job as if it had been claimed, with the attempt that the end of its item will count. Its lease has no token (0). The body of a
    /// deleted job is empty.
    package var job: ClaimedJob
    /// Whether the job no longer waits for its answer.
    package var isGivenUp: Bool
    /// Whether this job or an identical one still waits for the answer.
    package var isWanted: Bool
    /// When its deadline becomes near (wall clock, ms); nil if it has none.
    package var urgentAt: Int64?
}

extension ProviderBatchStore {
    /// A page of a batch's jobs in the order of their ids, starting after `after`.
    package func members(of batch: ProviderBatch, after: Int64, limit: Int) throws -> [BatchMember] {
        try read { reader in
            try reader.statement(BatchMember.page).bind(batch.id).bind(after).bind(limit).all { BatchMember($0, of: batch) }
        }
    }

    /// The given jobs of a batch in the order of their ids, without those that have left it.
    package func members(of batch: ProviderBatch, ids: [Int64]) throws -> [Int64: BatchMember] {
        try read { reader in
            var members: [Int64: BatchMember] = [:]
            for id in ids {
                members[id] = try reader.statement(BatchMember.one).bind(batch.id).bind(id).first { BatchMember($0, of: batch) }
            }
            return members
        }
    }

    /// Removes jobs from a batch that cannot or should not be sent with it; requires ownership. Nothing is charged for them.
    /// - Parameters:
    ///   - ids: the jobs. Those that no longer wait for an answer are only removed.
    ///   - reason: recorded with each job; nil records nothing.
    /// - Returns: false if ownership is lost.
    package func dismiss(
        _ ids: [Int64], from batch: ProviderBatch, _ rest: ProviderBatch.Rest, reason: String?
    ) async throws -> Bool {
        guard let owner = batch.owner else { return false }
        var remaining = ids[...]
        while !remaining.isEmpty {
            let slice = Array(remaining.prefix(Self.batchSlice))
            remaining = remaining.dropFirst(Self.batchSlice)
            let isReserved = try await write { transaction in
                guard try transaction.holds(batch.id, token: owner.token) else { return false }
                for id in slice { try transaction.dismiss(id, from: batch.id, rest, reason: reason) }
                return true
            }
            guard isReserved else { return false }
        }
        return true
    }

    /// Returns one slice of the jobs that a batch still holds, as its `rest` says. The last slice ends the batch and releases its
    /// ownership.
    /// - Returns: whether there may be more; nil if ownership is lost.
    package func returnRest(of batch: ProviderBatch) async throws -> Bool? {
        guard let owner = batch.owner, let rest = batch.rest else { return nil }
        return try await write { transaction in
            guard try transaction.holds(batch.id, token: owner.token) else { return nil }
            let ids = try transaction.statement("SELECT job_id FROM provider_batch_jobs WHERE batch_id = ? LIMIT ?")
                .bind(batch.id).bind(Self.batchSlice).all { $0.int64(0) }
            let reason = rest == .again ? nil : batch.error ?? "its provider's batch ended without an answer for it"
            for id in ids { try transaction.dismiss(id, from: batch.id, rest, reason: reason) }
            guard ids.count < Self.batchSlice else { return true }
            var ended = batch
            ended.state = .ended
            return try transaction.update(ended, from: .returning, expecting: nil, token: owner.token, releases: true) ? false : nil
        }
    }

    /// Recomputes when the first deadline of a batch's jobs becomes near, since the job that set it may have left.
    /// - Returns: that time, or nil if no job has a deadline.
    package func refreshUrgency(of batch: ProviderBatch) async throws -> Int64? {
        let urgentAt = try read { reader in
            try reader.statement(
                """
                SELECT deadline_at, created_at FROM provider_batch_jobs CROSS JOIN jobs ON jobs.id = job_id
                WHERE provider_batch_jobs.batch_id = ?1 AND is_given_up = 0 AND deadline_at IS NOT NULL
                UNION ALL
                SELECT deadline_at, created_at FROM provider_batch_jobs
                CROSS JOIN followers ON followers.digest = provider_batch_jobs.digest CROSS JOIN jobs ON jobs.id = followers.job_id
                WHERE provider_batch_jobs.batch_id = ?1 AND deadline_at IS NOT NULL
                """
            ).bind(batch.id).all { BatchPolicy.nearTime(of: $0.int64(0), created: $0.int64(1)) }.min()
        }
        guard let owner = batch.owner else { return urgentAt }
        try await write { transaction in
            _ = try transaction.statement("UPDATE provider_batches SET urgent_at = ? WHERE id = ? AND token = ?")
                .bind(urgentAt).bind(batch.id).bind(owner.token).run()
        }
        return urgentAt
    }

    /// How many jobs one transaction moves.
    private static let batchSlice = 200
}

extension BatchMember {
    private static let query = """
        SELECT provider_batch_jobs.job_id, provider_batch_jobs.lane_id, jobs.batch_id, jobs.priority, jobs.attempt, jobs.max_attempts,
        jobs.crashes, jobs.timeout_ms, jobs.digest, jobs.cache_ttl_ms, requests.body, provider_batch_jobs.inputs, is_given_up,
        jobs.deadline_at, jobs.created_at, is_given_up = 0 OR EXISTS (
            SELECT 1 FROM followers WHERE followers.digest = provider_batch_jobs.digest), provider_batch_jobs.digest, requests.native,
        requests.native_form
        FROM provider_batch_jobs LEFT JOIN jobs ON jobs.id = provider_batch_jobs.job_id
        LEFT JOIN requests ON requests.job_id = provider_batch_jobs.job_id WHERE provider_batch_jobs.batch_id = ?
        """
    fileprivate static let page = SQLText(
        "\(query) AND provider_batch_jobs.job_id > ? ORDER BY provider_batch_jobs.job_id LIMIT ?")
    fileprivate static let one = SQLText("\(query) AND provider_batch_jobs.job_id = ?")

    fileprivate init(_ row: Statement, of batch: ProviderBatch) {
        let shared = row.optionalBlob(16)
        // The columns of a deleted job are NULL.
        job = ClaimedJob(
            lease: Lease(jobID: row.int64(0), token: 0), laneID: row.int64(1), batchID: row.optionalInt64(2),
            priority: row.isNull(3) ? 5 : row.int(3), kind: batch.kind, target: batch.target, body: row.text(10),
            digest: row.optionalBlob(8) ?? shared ?? [], attempt: row.int(4) + 1, maxAttempts: row.isNull(5) ? 1 : row.int(5),
            crashes: row.int(6), timeout: row.optionalInt64(7), useCache: shared != nil)
        job.cacheTimeToLive = row.optionalInt64(9)
        job.inputs = row.int(11)
        if let body = row.optionalText(17), let form = row.optionalText(18) { job.native = NativeRequest(body: body, storedForm: form) }
        isGivenUp = row.bool(12)
        isWanted = row.bool(15)
        urgentAt = nil
        if !isGivenUp, let deadline = row.optionalInt64(13), let created = row.optionalInt64(14) {
            urgentAt = BatchPolicy.nearTime(of: deadline, created: created)
        }
    }
}

extension WriteTransaction {
    /// Whether the batch is still owned under this token.
    func holds(_ batch: Int64, token: Int64) throws(SQLFailure) -> Bool {
        try statement("SELECT 1 FROM provider_batches WHERE id = ? AND token = ?").bind(batch).bind(token).first { _ in true } ?? false
    }

    /// Removes a job from a batch without an answer. Nothing is charged for it.
    fileprivate func dismiss(_ id: Int64, from batch: Int64, _ rest: ProviderBatch.Rest, reason: String?) throws {
        guard let member = try leaveBatch(batch, id) else { return }
        if !member.isGivenUp {
            if try returnFromBatch(id, rest), let reason { try addError(job: id, attempt: 0, .retryable, reason) }
        }
        if let digest = member.digest { try promoteFollowers(of: digest) }
    }

    /// Removes a job and its reservation from a batch; returns nil if it was not in it. The batch's counts are reduced only until it is
    /// sent.
    func leaveBatch(_ batch: Int64, _ id: Int64) throws(SQLFailure) -> LeftMember? {
        let member = try statement(
            "DELETE FROM provider_batch_jobs WHERE batch_id = ? AND job_id = ? RETURNING lane_id, digest, inputs, bytes, is_given_up"
        ).bind(batch).bind(id).first {
            LeftMember(
                lane: $0.int64(0), digest: $0.isNull(1) ? nil : $0.blob(1), inputs: $0.int(2), bytes: $0.int(3), isGivenUp: $0.int(4) == 1)
        }
        guard let member else { return nil }
        // A job that was given up has no reservation here any more, but may have one in its next batch.
        if !member.isGivenUp { try releaseForBatch(id) }
        try statement(
            """
            UPDATE provider_batches SET jobs = jobs - 1, inputs = inputs - ?, bytes = bytes - ?
            WHERE id = ? AND +state IN ('collecting', 'submitting')
            """
        ).bind(member.inputs).bind(member.bytes).bind(batch).run()
        return member
    }

    /// Handles the end of a pending job: it leaves a batch that has not been sent. If the batch was sent, its answer is paid for, and kept
    /// for other jobs.
    func giveUpBatch(of id: Int64) throws(SQLFailure) {
        let row = try statement(
            """
            SELECT provider_batches.id, state FROM provider_batch_jobs CROSS JOIN provider_batches ON provider_batches.id = batch_id
            WHERE job_id = ? AND is_given_up = 0
            """
        ).bind(id).first { ($0.int64(0), $0.text(1)) }
        guard let (batch, state) = row else { return }
        guard state == ProviderBatch.State.collecting.rawValue else {
            try statement("UPDATE provider_batch_jobs SET is_given_up = 1 WHERE batch_id = ? AND job_id = ?").bind(batch).bind(id).run()
            try releaseForBatch(id)
            let isAwaited = try statement(
                "SELECT 1 FROM provider_batch_jobs INDEXED BY provider_batch_jobs_waiting WHERE batch_id = ? AND is_given_up = 0 LIMIT 1"
            ).bind(batch).first { _ in true }
            // Nobody waits for the batch any more, so it can be cancelled.
            if isAwaited == nil { ledger.ringWork() }
            return
        }
        guard let member = try leaveBatch(batch, id) else { return }
        try statement("DELETE FROM provider_batches WHERE id = ? AND +state = 'collecting' AND jobs = 0").bind(batch).run()
        if let digest = member.digest { try promoteFollowers(of: digest) }
    }
}

/// A job that was just removed from a batch.
struct LeftMember {
    var lane: Int64
    /// Nil if its answer must not be shared.
    var digest: [UInt8]?
    var inputs: Int
    var bytes: Int
    var isGivenUp: Bool
}
