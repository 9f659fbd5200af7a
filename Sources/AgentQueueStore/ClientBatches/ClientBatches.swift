import AgentQueueModel

extension ClientBatchStore {
    /// Adds a batch, or returns the earlier one that the request repeats. The look-up and the batch are one transaction.
    ///
    /// A repeated request attaches to the batch of its idempotency key; if the client says that it is a retry, to one like it that has not
    /// ended or has just; and in any case to one like it of which no client was told because its process died.
    /// - Throws: `StoreError`, of kind `notFound` if the input is no complete file of the key; ``IdempotencyConflict`` with the id of the
    ///   batch if the idempotency key belongs to another.
    package func create(_ new: NewClientBatch) async throws -> (batch: ClientBatch, isAttached: Bool) {
        let locks = locks
        let result = try await write { transaction -> Result<(batch: ClientBatch, isAttached: Bool), IdempotencyConflict> in
            let (earlier, isConflict) = try transaction.earlier(like: new, locks)
            if let earlier {
                if isConflict { return .failure(IdempotencyConflict(job: earlier)) }
                try transaction.statement("UPDATE client_batches SET creator_id = ?, answered_at = NULL WHERE id = ?")
                    .bind(new.server).bind(earlier).run()
                let batch = try transaction.clientBatch(earlier)
                if batch.inputFile != new.inputFile { try transaction.discardHiddenFile(new.inputFile) }
                return .success((batch, true))
            }
            return .success((try transaction.add(new), false))
        }
        return try result.get()
    }

    /// Records that the client has been told of its batch.
    package func answered(_ id: Int64) async throws {
        try await write { transaction in
            _ = try transaction.statement("UPDATE client_batches SET answered_at = ? WHERE id = ? AND answered_at IS NULL")
                .bind(transaction.now).bind(id).run()
        }
    }

    /// Returns a key's batch; nil if there is none, or no longer.
    package func find(_ publicID: String, key: Int64) throws -> ClientBatch? {
        try read { reader in
            try reader.statement(Self.byPublicID).bind(publicID).bind(key).first { try ClientBatch($0) }
        }
    }

    /// Returns a part of a key's batches, in the order of their ids, and whether there are more beyond it.
    /// - Parameters:
    ///   - isAnthropic: whether to list those of Anthropic's form, or of OpenAI's.
    ///   - after: only batches beyond this one, in the order of the list.
    package func list(
        key: Int64, isAnthropic: Bool, limit: Int, after: Int64? = nil, isNewestFirst: Bool = true
    ) throws -> (batches: [ClientBatch], hasMore: Bool) {
        try read { reader in
            var batches = try reader.statement(isNewestFirst ? Self.newestFirst : Self.oldestFirst).bind(key)
                .bind(after ?? (isNewestFirst ? .max : 0)).bind(isAnthropic).bind(limit + 1).all { try ClientBatch($0) }
            let hasMore = batches.count > limit
            if hasMore { batches.removeLast() }
            return (batches, hasMore)
        }
    }

    /// Begins to cancel a key's batch that has not ended. Its requests that wait are cancelled by the gateway soon after.
    /// - Returns: the batch as it is now; nil if there is none.
    package func cancel(_ publicID: String, key: Int64) async throws -> ClientBatch? {
        try await write { transaction in
            // What has not been checked has no jobs: there is nothing to wait for.
            try transaction.statement(
                """
                UPDATE client_batches SET state = 'cancelled', cancelling_at = ?1, ended_at = ?1, worker_id = NULL
                WHERE public_id = ?2 AND key_id = ?3 AND state = 'validating'
                """
            ).bind(transaction.now).bind(publicID).bind(key).run()
            try transaction.statement(
                """
                UPDATE client_batches SET state = 'cancelling', cancelling_at = ? WHERE public_id = ? AND key_id = ? AND state = 'in_progress'
                """
            ).bind(transaction.now).bind(publicID).bind(key).run()
            transaction.ledger.ringResults()
            return try transaction.statement(Self.byPublicID).bind(publicID).bind(key).first { try ClientBatch($0) }
        }
    }

    /// Removes a key's batch that has ended, with its files that no list shows. Its jobs stay as long as others.
    /// - Returns: whether there was one.
    /// - Throws: `StoreError`; `conflict` if it has not ended.
    @discardableResult
    package func delete(_ publicID: String, key: Int64) async throws -> Bool {
        guard let batch = try find(publicID, key: key) else { return false }
        guard batch.state.isFinal else { throw StoreError(.conflict, "the batch \(publicID) has not ended: cancel it first") }
        while try await write({ try !$0.removeClientBatch(batch.id, lines: Self.linesAtOnce) }) {}
        return true
    }

    /// How many lines one transaction removes.
    static let linesAtOnce = 500

    fileprivate static let byPublicID = SQLText("\(ClientBatch.columns) WHERE public_id = ? AND key_id = ?")
    static let byID = SQLText("\(ClientBatch.columns) WHERE id = ?")
    private static let ofKey = "\(ClientBatch.columns) WHERE key_id = ?1"
    private static let ofFlavour = "CASE WHEN form = 'messages' THEN 1 ELSE 0 END = ?3"
    private static let newestFirst = SQLText("\(ofKey) AND id < ?2 AND \(ofFlavour) ORDER BY id DESC LIMIT ?4")
    private static let oldestFirst = SQLText("\(ofKey) AND id > ?2 AND \(ofFlavour) ORDER BY id LIMIT ?4")
}

extension WriteTransaction {
    func clientBatch(_ id: Int64) throws -> ClientBatch {
        guard let batch = try statement(ClientBatchStore.byID).bind(id).first({ try ClientBatch($0) }) else {
            throw StoreError(.notFound, "the batch was removed")
        }
        return batch
    }

    /// Finds the batch that a request repeats.
    /// - Returns: its id, and whether the request is another one under its idempotency key.
    fileprivate func earlier(like new: NewClientBatch, _ locks: LockFile) throws(SQLFailure) -> (id: Int64?, isConflict: Bool) {
        if let name = new.idempotencyKey {
            let found = try statement(
                """
                SELECT id, attach FROM client_batches WHERE key_id = ? AND idempotency_key = ? AND idempotency_key IS NOT NULL AND created_at > ?
                ORDER BY id DESC LIMIT 1
                """
            ).bind(new.key).bind(name).bind(now - new.windows.idempotency).first { (id: $0.int64(0), attach: $0.blob(1)) }
            return (found?.id, found.map { $0.attach != new.attach } ?? false)
        }
        let found = try statement(
            "SELECT id, creator_id, answered_at, ended_at FROM client_batches WHERE attach = ? ORDER BY id DESC LIMIT 1"
        ).bind(new.attach).first {
            (id: $0.int64(0), creator: $0.int64(1), isAnswered: !$0.isNull(2), endedAt: $0.optionalInt64(3))
        }
        guard let found, found.endedAt.map({ $0 > now - new.windows.ended }) ?? true else { return (nil, false) }
        let isLost = !found.isAnswered && !locks.isAlive(worker: found.creator)
        return (new.isRetry || isLost ? found.id : nil, false)
    }

    fileprivate func add(_ new: NewClientBatch) throws -> ClientBatch {
        let isThere = try statement(
            "SELECT 1 FROM files WHERE id = ? AND key_id = ? AND bytes IS NOT NULL AND (expires_at IS NULL OR expires_at > ?)"
        ).bind(new.inputFile).bind(new.key).bind(now).exists()
        guard isThere else { throw StoreError(.notFound, "there is no such input file: it was deleted, has expired or is another key's") }
        let isChecked = new.lines != nil
        let id = try statement(
            """
            INSERT INTO client_batches (public_id, key_id, form, state, attach, idempotency_key, creator_id, completion_window, metadata,
            version, betas, input_file, output_lifetime, lines, created_at, expires_at, in_progress_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        ).bind(new.publicID).bind(new.key).bind(new.form.rawValue)
            .bind((isChecked ? ClientBatch.State.inProgress : .validating).rawValue).bind(new.attach).bind(new.idempotencyKey)
            .bind(new.server).bind(new.window).bind(new.metadata?.text).bind(new.version)
            .bind(JSONValue.array(new.betas.map { .string($0) }).text).bind(new.inputFile).bind(new.outputLifetime)
            .bind(new.lines).bind(now).bind(now + new.lifetime).bind(isChecked ? now : nil).insertedID()
        guard let id else { throw StoreError(.corrupt, "a batch could not be added") }
        ledger.ringResults()
        return try clientBatch(id)
    }

    /// Removes some lines of a batch that has ended, and the batch with its last. Returns whether that was it.
    func removeClientBatch(_ id: Int64, lines: Int) throws -> Bool {
        let removed = try statement(
            """
            DELETE FROM client_lines WHERE client_batch = ?1 AND line IN (
                SELECT line FROM client_lines WHERE client_batch = ?1 ORDER BY line LIMIT ?2)
            """
        ).bind(id).bind(lines).run()
        guard removed < lines else { return false }
        let files = try statement("SELECT input_file, output_file FROM client_batches WHERE id = ?").bind(id)
            .first { [$0.optionalInt64(0), $0.optionalInt64(1)].compactMap(\.self) }
        for file in files ?? [] { try discardHiddenFile(file) }
        try statement("DELETE FROM client_batches WHERE id = ?").bind(id).run()
        return true
    }

    /// Ends a file that only its batch reads; pruning removes its bytes.
    func discardHiddenFile(_ file: Int64) throws(SQLFailure) {
        try statement("UPDATE files SET expires_at = ?1 WHERE id = ?2 AND purpose = ?3 AND (expires_at IS NULL OR expires_at > ?1)")
            .bind(now).bind(file).bind(FilePurpose.messageBatch.rawValue).run()
    }
}
