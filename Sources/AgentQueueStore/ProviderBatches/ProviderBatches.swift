import AgentQueueModel

extension ProviderBatchStore {
    /// Provider batches, newest first.
    /// - Parameter includesEnded: whether to include those that have ended.
    package func list(includesEnded: Bool = true, limit: Int = 100) throws -> [ProviderBatchSummary] {
        try read { reader in
            try reader.statement(
                """
                SELECT id, target, kind, state, remote_id, jobs, (SELECT count(*) FROM provider_batch_jobs WHERE batch_id = provider_batches.id),
                created_at, submitted_at, due_at, expires_at, ended_at, error
                FROM provider_batches WHERE ? = 1 OR state <> 'ended' ORDER BY id DESC LIMIT ?
                """
            ).bind(includesEnded).bind(limit).all { row in
                ProviderBatchSummary(
                    id: row.int64(0), target: row.text(1), kind: row.text(2), state: ProviderBatch.State(rawValue: row.text(3)) ?? .ended,
                    remoteID: row.optionalText(4), jobs: row.int(5), open: row.int(6), createdAt: row.int64(7),
                    submittedAt: row.optionalInt64(8), dueAt: row.int64(9), expiresAt: row.optionalInt64(10),
                    endedAt: row.optionalInt64(11), error: row.optionalText(12))
            }
        }
    }

    /// The batch whose answer a job waits for; nil if it is in none.
    package func batch(ofJob id: Int64) throws -> Int64? {
        try read { reader in
            try reader.statement("SELECT batch_id FROM provider_batch_jobs WHERE job_id = ? AND is_given_up = 0").bind(id).number()
        }
    }

    /// A provider's batches that have not ended, oldest first.
    package func open(of provider: String) throws -> [ProviderBatch] {
        try read { reader in try reader.statement(ProviderBatch.open).bind(provider).all { try ProviderBatch($0) } }
    }

    /// Whether a living worker owns the batch under a lease that has not expired.
    package func isOwned(_ batch: ProviderBatch) -> Bool {
        guard let owner = batch.owner else { return false }
        return owner.leaseExpiresAt > clock.boot() && locks.isAlive(worker: owner.worker)
    }

    /// Takes ownership of a batch; returns nil if it has changed in the meantime, or has another owner.
    /// - Parameter lease: how long ownership lasts without renewal, in ms.
    package func take(_ batch: ProviderBatch, worker: Int64, lease: Int64) async throws -> ProviderBatch? {
        guard !isOwned(batch) else { return nil }
        let heartbeat = batch.owner.map { locks.isAlive(worker: $0.worker) ? lease / 3 : 0 } ?? 0
        let token = try await write { transaction -> Int64? in
            guard try transaction.mayDecideByLease(heartbeat: heartbeat) else { return nil }
            let token = try transaction.nextToken()
            // Compares the token that was read: of two workers that find the owner dead, only one succeeds.
            let changed = try transaction.statement(
                """
                UPDATE provider_batches SET worker_id = ?, token = ?, lease_expires_at = ? WHERE id = ? AND +state = ?
                AND token IS NOT DISTINCT FROM ?
                """
            ).bind(worker).bind(token).bind(transaction.clock.boot() + lease).bind(batch.id).bind(batch.state.rawValue)
                .bind(batch.owner?.token).run()
            return changed == 1 ? token : nil
        }
        guard let token else { return nil }
        return try read { reader in
            try reader.statement(ProviderBatch.owned).bind(batch.id).bind(token).first { try ProviderBatch($0) }
        }
    }

    /// Extends ownership of a batch to `lease` ms from now. Returns false if it is lost.
    package func renew(_ batch: ProviderBatch, for lease: Int64) async throws -> Bool {
        guard let owner = batch.owner else { return false }
        return try await write { transaction in
            try transaction.statement("UPDATE provider_batches SET lease_expires_at = ? WHERE id = ? AND token = ?")
                .bind(transaction.clock.boot() + lease).bind(batch.id).bind(owner.token).run() == 1
        }
    }

    /// Releases ownership of a batch; does nothing if it is already lost.
    package func release(_ batch: ProviderBatch) async throws {
        guard let owner = batch.owner else { return }
        try await write { try $0.release(batch.id, token: owner.token) }
    }

    /// Writes a batch's new state; requires ownership.
    /// - Parameters:
    ///   - batch: the batch as it is now. What others may change in the meantime (its size, while it collects) is not written.
    ///   - state: its previous state.
    ///   - expecting: the number of jobs that it must hold; nil accepts any number.
    ///   - releases: whether to release ownership in the same transaction.
    /// - Returns: false, without a change, if ownership is lost, if it does not hold `expecting` jobs, or if the remote batch belongs to
    ///   another one for certain.
    package func update(
        _ batch: ProviderBatch, from state: ProviderBatch.State, expecting jobs: Int? = nil, releases: Bool
    ) async throws -> Bool {
        guard let owner = batch.owner else { return false }
        return try await write { try $0.update(batch, from: state, expecting: jobs, token: owner.token, releases: releases) }
    }

    /// Records that the provider accepted a batch after ownership was lost. This is certain, and holds unless another submission is
    /// certain too. The current owner learns of it by losing ownership.
    /// - Returns: false if the batch is known to be a different one at the provider, so that this one is a duplicate.
    package func noteLateSubmission(_ batch: ProviderBatch) async throws -> Bool {
        guard let remoteID = batch.remoteID else { return true }
        return try await write { transaction in
            try transaction.evict(remoteID, for: batch)
            let changed = try transaction.statement(
                """
                UPDATE provider_batches SET state = 'submitted', remote_id = ?1, is_certain = 1, submitted_at = ?2, expires_at = ?3,
                due_at = ?4, worker_id = NULL, token = NULL, lease_expires_at = NULL
                WHERE id = ?5 AND (state = 'submitting' OR (is_certain = 0 AND state IN ('submitted', 'harvesting')))
                """
            ).bind(remoteID).bind(batch.submittedAt).bind(batch.expiresAt).bind(transaction.now).bind(batch.id).run()
            guard changed == 0 else { return true }
            return try transaction.statement("SELECT 1 FROM provider_batches WHERE id = ? AND remote_id = ?")
                .bind(batch.id).bind(remoteID).first { _ in true } ?? false
        }
    }

    /// The remote ids that belong to other batches of the provider, and whether that is certain.
    package func takenRemoteIDs(besides batch: ProviderBatch) throws -> [String: Bool] {
        try read { reader in
            var taken: [String: Bool] = [:]
            try reader.statement(
                "SELECT remote_id, is_certain FROM provider_batches WHERE provider = ? AND remote_id IS NOT NULL AND id <> ?"
            ).bind(batch.target.provider).bind(batch.id).eachRow { row in taken[row.text(0)] = row.bool(1) }
            return taken
        }
    }
}

extension WriteTransaction {
    func update(
        _ batch: ProviderBatch, from state: ProviderBatch.State, expecting jobs: Int?, token: Int64, releases: Bool
    ) throws -> Bool {
        if batch.isCertain, let remoteID = batch.remoteID { try evict(remoteID, for: batch) }
        let changed = try statement(
            """
            UPDATE provider_batches SET state = ?1, is_closed = ?2, remote_id = ?3, is_certain = ?4, excluded = ?5, rest = ?6,
            submitting_at = ?7, unsettled_until = ?8, submitted_at = ?9, expires_at = ?10, due_at = ?11, looks = ?12, failures = ?13,
            error = ?14, ended_at = CASE WHEN ?1 = 'ended' THEN CAST(?15 AS bigint) END
            WHERE id = ?16 AND +state = ?17 AND token = ?18 AND jobs = coalesce(?19, jobs) AND NOT EXISTS (
                SELECT 1 FROM provider_batches AS other WHERE other.provider = provider_batches.provider AND other.remote_id = ?3
                AND other.id <> ?16)
            """
        ).bind(batch.state.rawValue).bind(batch.isClosed).bind(batch.remoteID).bind(batch.isCertain).bind(
            ProviderBatch.text(ofExcluded: batch.excluded)
        )
        .bind(batch.rest?.rawValue).bind(batch.submittingAt).bind(batch.unsettledUntil).bind(batch.submittedAt).bind(batch.expiresAt)
        .bind(batch.dueAt).bind(batch.looks).bind(batch.failures).bind(batch.error).bind(now).bind(batch.id).bind(state.rawValue)
        .bind(token).bind(jobs.map(Int64.init)).run()
        guard changed == 1 else { return false }
        if releases { try release(batch.id, token: token) }
        return true
    }

    func release(_ batch: Int64, token: Int64) throws(SQLFailure) {
        let changed = try statement(
            "UPDATE provider_batches SET worker_id = NULL, token = NULL, lease_expires_at = NULL WHERE id = ? AND token = ?"
        ).bind(batch).bind(token).run()
        // Wakes the workers, so that the next one to handle the batch learns when.
        if changed == 1 { ledger.ringWork() }
    }

    /// Assigns a remote batch to this one for certain: a batch that had it tentatively must search again.
    fileprivate func evict(_ remoteID: String, for batch: ProviderBatch) throws {
        let others = try statement(
            "SELECT id, excluded FROM provider_batches WHERE provider = ? AND remote_id = ? AND id <> ? AND is_certain = 0"
        ).bind(batch.target.provider).bind(remoteID).bind(batch.id).all { (id: $0.int64(0), excluded: $0.text(1)) }
        for other in others {
            let excluded = try ProviderBatch.excluded(other.excluded, of: other.id) + [remoteID]
            try statement(
                """
                UPDATE provider_batches SET state = 'submitting', remote_id = NULL, is_certain = 1, submitted_at = NULL, expires_at = NULL,
                excluded = ?, due_at = ?, worker_id = NULL, token = NULL, lease_expires_at = NULL WHERE id = ?
                """
            ).bind(ProviderBatch.text(ofExcluded: excluded)).bind(now).bind(other.id).run()
        }
    }
}

extension ProviderBatchStore {
    /// Whether jobs that such a worker serves wait for a batch at their provider.
    func holdsBatches(queues: Set<String>?, providers: Set<String>, routes: [String: Route], _ reader: ReadConnection) throws -> Bool {
        // A batch whose last job has its answer is about to be cleaned up at the provider.
        let ending = try reader.statement(
            """
            SELECT DISTINCT provider FROM provider_batches INDEXED BY provider_batches_open
            WHERE state IN ('harvesting', 'returning') AND state <> 'ended' AND due_at <= ?
            """
        ).bind(clock.wall()).all { $0.text(0) }
        if ending.contains(where: providers.contains) { return true }
        return try reader.statement(
            """
            SELECT queue, lanes.provider, lanes.target FROM lanes JOIN queues ON queues.name = queue WHERE paused_at IS NULL
            AND pending > 0 AND EXISTS (
                SELECT 1 FROM provider_batches INDEXED BY provider_batches_open
                CROSS JOIN provider_batch_jobs ON batch_id = provider_batches.id
                WHERE provider_batches.provider = lanes.provider AND state <> 'ended' AND lane_id = lanes.id AND is_given_up = 0)
            """
        ).all { row in
            let isServed = routes[row.text(2)].map { !$0.targets.isEmpty } ?? providers.contains(row.text(1))
            return isServed && queues?.containsExactly(row.text(0)) != false
        }.contains(true)
    }
}

/// A provider batch as shown to users. Times are wall clock, ms.
package struct ProviderBatchSummary: Sendable, Equatable {
    /// The row's id, never reused.
    package var id: Int64
    package var target: String
    package var kind: String
    package var state: ProviderBatch.State
    /// The provider's id for it; nil until the provider has it.
    package var remoteID: String?
    /// The number of jobs it holds; once sent, the number it was sent with.
    package var jobs: Int
    /// How many of them have no answer yet.
    package var open: Int
    /// When its first job was added.
    package var createdAt: Int64
    /// When the provider accepted it.
    package var submittedAt: Int64?
    /// When a worker should next handle it.
    package var dueAt: Int64
    /// When the provider ends it at the latest.
    package var expiresAt: Int64?
    package var endedAt: Int64?
    /// The latest error, as a sentence.
    package var error: String?
}
