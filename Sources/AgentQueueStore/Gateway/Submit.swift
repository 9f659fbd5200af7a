import AgentQueueModel

extension GatewayStore {
    /// Adds a request's jobs, or attaches it to an earlier request like it. The look-up and the jobs are one transaction, so that of two
    /// retries at once one makes the jobs and the other attaches.
    /// - Throws: `StoreError`; ``IdempotencyConflict`` if its idempotency key belongs to another request.
    package func submit(_ submission: GatewaySubmission) async throws -> GatewayTicket { try await submit(submission) { $1 } }

    /// - Parameter finish: what else the transaction does, and what it returns.
    func submit<Value: Sendable>(
        _ submission: GatewaySubmission, _ finish: @escaping @Sendable (WriteTransaction, GatewayTicket) throws -> Value
    ) async throws -> Value {
        let locks = locks
        let result = try await writing { transaction -> Result<Value, IdempotencyConflict> in
            switch try transaction.earlier(like: submission, locks) {
            case .none: .success(try finish(transaction, transaction.completed(transaction.add(submission))))
            case .conflict(let job): .failure(IdempotencyConflict(job: job))
            case .call(let call, let attachment):
                .success(try finish(transaction, transaction.completed(transaction.attach(submission, to: call, attachment, locks))))
            }
        }
        return try result.get()
    }
}

extension WriteTransaction {
    fileprivate func add(_ submission: GatewaySubmission) throws -> GatewayTicket {
        var added: [Enqueued] = []
        for var job in submission.jobs {
            // What the cache holds is too old for it. Whatever it gets from now on is not.
            if let age = job.maxCacheAge, try isCached(job.digest, before: now - age) { job.useCache = false }
            let one = try enqueue(job)
            added.append(one)
            try statement(
                """
                INSERT INTO gateway_calls (job_id, call_id, choice, key_id, form, attach, idempotency_key, response_id, previous_response,
                trace, server_id, is_cached) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
            ).bind(one.id).bind(added[0].id).bind(added.count - 1).bind(submission.key).bind(submission.form.rawValue)
                .bind(submission.attach).bind(submission.idempotencyKey).bind(added.count == 1 ? submission.responseID : nil)
                .bind(submission.previousResponse).bind(submission.trace).bind(submission.server).bind(one.state == .completed).run()
        }
        return GatewayTicket(jobs: added, responseID: submission.responseID)
    }

    private func isCached(_ digest: [UInt8], before time: Int64) throws(SQLFailure) -> Bool {
        try statement("SELECT 1 FROM cache_entries WHERE digest = ? AND +created_at < ?").bind(digest).bind(time).exists()
    }

    /// Makes the request's client one of an earlier call's.
    fileprivate func attach(
        _ submission: GatewaySubmission, to call: AttachableCall, _ attachment: Attachment, _ locks: LockFile
    ) throws(SQLFailure) -> GatewayTicket {
        let hadClient = call.isWatched(locks)
        try statement(
            """
            UPDATE gateway_calls SET server_id = ?, clients = ?, is_shared = ?, received_at = NULL, lost_at = NULL WHERE job_id = ?
            """
        ).bind(submission.server).bind(call.clients + 1).bind(call.isShared || (hadClient && call.server != submission.server))
            .bind(call.id).run()
        for (job, new) in zip(call.jobs, submission.jobs) where !job.state.isFinal {
            // The new client waits as long as it says, and a client that still waits is not cut short.
            let expiry: Int64? =
                if hadClient { new.expiresAt.flatMap { new in job.expiresAt.map { max($0, new) } } } else { new.expiresAt }
            if expiry != job.expiresAt { try statement("UPDATE jobs SET expires_at = ? WHERE id = ?").bind(expiry).bind(job.id).run() }
            if new.isStreamed {
                try statement("INSERT INTO streams (job_id) VALUES (?) ON CONFLICT DO NOTHING").bind(job.id).run()
            }
        }
        return GatewayTicket(
            jobs: call.jobs.map { Enqueued(id: $0.id, state: $0.state) }, attached: attachment, responseID: call.responseID,
            client: call.clients + 1)
    }
}
