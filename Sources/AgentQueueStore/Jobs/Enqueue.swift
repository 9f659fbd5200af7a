import AgentQueueModel

extension JobStore {
    /// Adds a job.
    /// - Parameter actor: who does it, for the record; nil leaves it unrecorded.
    /// - Throws: `StoreError`; `conflict` if the job depends on one that does not exist.
    package func enqueue(_ job: NewJob, by actor: String? = nil) async throws -> Enqueued {
        try await write { transaction in
            let added = try transaction.enqueue(job)
            if let actor, added.duplicateOf == nil { try transaction.audit(actor, "job.add", "job \(added.id)") }
            return added
        }
    }

    /// Adds all jobs or none, in one transaction. `ingest` records in the same transaction how far the input has been read.
    package func enqueue(_ jobs: [NewJob], ingest: IngestCheckpoint? = nil) async throws -> [Enqueued] {
        try await write { transaction in
            if let ingest { try transaction.advance(ingest, jobs: jobs.count) }
            return try jobs.map { try transaction.enqueue($0) }
        }
    }
}

extension WriteTransaction {
    /// Adds a job in the first state that applies: a unique key that is taken returns the job that has it; a dependency that failed
    /// cancels the job; open dependencies make it pending; a later start time makes it scheduled; a cached reply completes it at once;
    /// otherwise it is available.
    /// - Parameter run: the run that the job is a step of.
    func enqueue(_ job: NewJob, run: Int64? = nil) throws -> Enqueued {
        // The INSERT below cannot check this: a job that starts out cancelled does not conflict on its key, and a dependency may no longer
        // exist.
        if !job.after.isEmpty, job.uniqueKey != nil, let holder = try holder(of: job) { return holder }
        let waiting = job.after.isEmpty ? DependencyStates() : try dependencyStates(of: job.after)
        let state: JobState
        var cached: CachedReply?
        if waiting.failed != nil {
            state = .cancelled
        } else if waiting.isOpen {
            state = .pending
        } else if let scheduledAt = job.scheduledAt, scheduledAt > now {
            state = .scheduled
        } else if job.useCache, let reply = try cachedReply(job.digest) {
            cached = reply
            state = .completed
        } else {
            state = .available
        }

        let lane = try lane(queue: job.queue, target: job.target, kind: job.kind)
        let batch = try job.batch.map { try self.batch(named: $0) }
        if let batch, let budget = job.budget {
            // The last job to state the batch's budget sets it.
            try statement("UPDATE batches SET budget_usd = ?1 WHERE id = ?2 AND budget_usd IS DISTINCT FROM ?1").bind(budget).bind(batch)
                .run()
        }
        guard let id = try insert(job, state: state, lane: lane, batch: batch, cancelledThrough: waiting.failed, run: run) else {
            guard let holder = try holder(of: job) else { throw StoreError(.internal, "a unique key is taken, and no job has it") }
            return holder
        }
        ledger.add(lane: lane, batch: batch, state: state)
        try insertBeside(job, id: id)
        if job.isStreamed, !state.isFinal { try statement("INSERT INTO streams (job_id) VALUES (?)").bind(id).run() }
        if let cached { try complete(id, lane: lane, job.digest, from: cached) }
        if let failed = waiting.failed {
            try addError(job: id, attempt: 0, .dependency, "job \(failed), which it depends on, ended without completing")
        }
        try watch(.job, id, tell: job.onFinish, onFailure: job.onFailure)
        if let batch { try watch(.batch, batch, tell: job.onBatchFinish, onFailure: job.onBatchFailure) }
        if state.isFinal { try noteFinished(.job, id) }
        return Enqueued(id: id, state: state)
    }

    /// Inserts the job's row; returns nil if its unique key is taken.
    private func insert(
        _ job: NewJob, state: JobState, lane: Int64, batch: Int64?, cancelledThrough: Int64?, run: Int64?
    ) throws(SQLFailure) -> Int64? {
        try statement(
            """
            INSERT INTO jobs (lane_id, state, priority, max_attempts, use_cache, created_at, scheduled_at, finalized_at, expires_at,
            timeout_ms, batch_id, cancelled_through, unique_key, digest, budget_usd, inputs, bytes, cache_ttl_ms, batch_api, deadline_at,
            run_id, native) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND state NOT IN ('cancelled', 'discarded') DO NOTHING
            """
        ).bind(lane).bind(state.rawValue).bind(job.priority).bind(job.maxAttempts).bind(job.useCache).bind(now)
            .bind(job.scheduledAt ?? now).bind(state.isFinal ? now : nil).bind(job.expiresAt).bind(job.timeout).bind(batch)
            .bind(cancelledThrough).bind(job.uniqueKey).bind(job.digest).bind(batch == nil ? job.budget : nil).bind(job.inputs)
            .bind(job.kind.isBatchable ? job.body.utf8.count : 0).bind(job.cacheTimeToLive).bind(job.usesBatchAPI).bind(job.deadline)
            .bind(run).bind(job.native == nil ? nil : 1 as Int64?).insertedID()
    }

    private func insertBeside(_ job: NewJob, id: Int64) throws(SQLFailure) {
        try statement("INSERT INTO requests (job_id, body, custom_id, metadata) VALUES (?, ?, ?, ?)")
            .bind(id).bind(job.body).bind(job.customID).bind(job.metadata?.text).run()
        if let native = job.native { try keep(native, of: id) }
        for tag in job.tags {
            try statement("INSERT INTO job_tags (job_id, tag) VALUES (?, ?) ON CONFLICT DO NOTHING").bind(id).bind(tag).run()
        }
        for dependency in job.after {
            try statement(
                """
                INSERT INTO dependencies (job_id, depends_on, met)
                SELECT ?1, id, CASE WHEN state = 'completed' THEN 1 ELSE 0 END FROM jobs WHERE id = ?2 ON CONFLICT DO NOTHING
                """
            ).bind(id).bind(dependency).run()
        }
    }

    /// Returns the job that already has the new job's unique key, if any.
    private func holder(of job: NewJob) throws(SQLFailure) -> Enqueued? {
        let holder = try statement(
            "SELECT id, state FROM jobs WHERE unique_key = ? AND state NOT IN ('cancelled', 'discarded')"
        ).bind(job.uniqueKey).first { ($0.int64(0), $0.text(1)) }
        guard let (id, name) = holder, let state = JobState(rawValue: name) else { return nil }
        return Enqueued(id: id, state: state, duplicateOf: id)
    }
}

/// What would happen if a job were added.
package enum EnqueuePreview: Sendable, Equatable {
    /// It needs a call, unless an identical job is already being called for.
    case call
    /// The cache would complete it.
    case cached
    /// Another job has its unique key, so nothing would be added.
    case taken
}

extension JobStore {
    /// Previews adding these jobs now, without changing anything. The results are in the jobs' order; each job is looked at by itself.
    /// - Throws: `StoreError`; `conflict` if a job depends on one that does not exist.
    package func preview(_ jobs: [NewJob]) throws -> [EnqueuePreview] {
        let now = clock.wall()
        return try read { reader in
            let holder = try reader.statement("SELECT 1 FROM jobs WHERE unique_key = ? AND state NOT IN ('cancelled', 'discarded')")
            let dependency = try reader.statement("SELECT 1 FROM jobs WHERE id = ?")
            let entry = try reader.statement("SELECT 1 FROM cache_entries WHERE digest = ? AND +expires_at > ?")
            return try jobs.map { job in
                if let key = job.uniqueKey, try holder.bind(key).exists() { return .taken }
                for id in job.after where try !dependency.bind(id).exists() {
                    throw StoreError(.conflict, "job \(id), which the new job is to wait for, does not exist; nothing was added")
                }
                guard job.useCache else { return .call }
                // A scheduled job looks in the cache only at its start time.
                let start = max(now, job.scheduledAt ?? now)
                return try entry.bind(job.digest).bind(start).exists() ? .cached : .call
            }
        }
    }
}
