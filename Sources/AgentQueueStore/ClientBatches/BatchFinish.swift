import AgentQueueModel

/// What one step adds to the files of a batch.
package struct BatchOutput: Sendable {
    /// The last line that it covers.
    package var line: Int64
    /// Whole lines for the file of results.
    package var output: [UInt8] = []
    /// Whole lines for the file of errors.
    package var errors: [UInt8] = []
    /// The tokens of its answers.
    package var usage = Usage()

    package init(line: Int64) { self.line = line }
}

extension ClientBatchStore {
    /// Returns requests of a batch in the order of its input; they have all ended.
    /// - Parameter line: only those beyond this line.
    package func lines(of batch: Int64, after line: Int64, limit: Int) throws -> [EndedLine] {
        try read { reader in
            try reader.statement(
                """
                SELECT line, custom_id, outcome, ended, job_id, error FROM client_lines
                WHERE client_batch = ? AND line > ? ORDER BY line LIMIT ?
                """
            ).bind(batch).bind(line).bind(limit).all { try EndedLine($0) }
        }
    }

    /// Begins to write a batch's files: from now on retries of its jobs do not change it.
    /// - Returns: false if a request has not ended, or the batch is another process's.
    package func beginFinish(_ id: Int64, server: Int64) async throws -> Bool {
        try await write { transaction in
            try transaction.statement(
                """
                UPDATE client_batches SET state = CASE WHEN state = 'in_progress' THEN 'finalizing' ELSE state END,
                finalizing_at = coalesce(finalizing_at, ?) WHERE id = ? AND worker_id = ? AND ingested_at IS NOT NULL AND ended_at IS NULL
                AND NOT EXISTS (SELECT 1 FROM client_lines WHERE client_batch = client_batches.id AND ended IS NULL)
                """
            ).bind(transaction.now).bind(id).bind(server).run() == 1
        }
    }

    /// Adds lines to a batch's files.
    /// - Parameter written: the last line that was in them before. If another process has written more since, nothing is added.
    /// - Returns: whether they were added.
    package func write(_ output: BatchOutput, to id: Int64, after written: Int64, server: Int64) async throws -> Bool {
        try await write { transaction in
            let changed = try transaction.statement(
                """
                UPDATE client_batches SET written_line = ?, input_tokens = input_tokens + ?, output_tokens = output_tokens + ?
                WHERE id = ? AND written_line = ? AND worker_id = ? AND finalizing_at IS NOT NULL AND ended_at IS NULL
                """
            ).bind(output.line).bind(output.usage.inputTokens).bind(output.usage.outputTokens).bind(id).bind(written).bind(server).run()
            guard changed == 1 else { return false }
            let batch = try transaction.statement("SELECT key_id, form, output_file, error_file FROM client_batches WHERE id = ?").bind(id)
                .first { (key: $0.int64(0), form: $0.text(1), output: $0.optionalInt64(2), errors: $0.optionalInt64(3)) }
            guard let batch else { return false }
            let purpose: FilePurpose = batch.form == RequestForm.messages.rawValue ? .messageBatch : .batchOutput
            if !output.output.isEmpty {
                let file = try batch.output ?? transaction.beginOutput(key: batch.key, purpose)
                if batch.output == nil {
                    try transaction.statement("UPDATE client_batches SET output_file = ? WHERE id = ?").bind(file).bind(id).run()
                }
                try transaction.append(output.output, toOutput: file)
            }
            if !output.errors.isEmpty {
                let file = try batch.errors ?? transaction.beginOutput(key: batch.key, purpose)
                if batch.errors == nil {
                    try transaction.statement("UPDATE client_batches SET error_file = ? WHERE id = ?").bind(file).bind(id).run()
                }
                try transaction.append(output.errors, toOutput: file)
            }
            return true
        }
    }

    /// Ends a batch: its files are complete.
    /// - Parameter written: its last line.
    /// - Returns: the batch; nil if it is another process's, or not all of it is written.
    package func end(_ id: Int64, after written: Int64, server: Int64) async throws -> ClientBatch? {
        try await write { transaction in
            let changed = try transaction.statement(
                """
                UPDATE client_batches SET ended_at = ?1, worker_id = NULL,
                state = CASE WHEN state = 'cancelling' THEN 'cancelled' WHEN expired > 0 THEN 'expired' ELSE 'completed' END
                WHERE id = ?2 AND written_line = ?3 AND worker_id = ?4 AND finalizing_at IS NOT NULL AND ended_at IS NULL
                AND NOT EXISTS (SELECT 1 FROM client_lines WHERE client_batch = client_batches.id AND line > ?3)
                """
            ).bind(transaction.now).bind(id).bind(written).bind(server).run()
            guard changed == 1 else { return nil }
            let batch = try transaction.clientBatch(id)
            let lifetime = batch.outputLifetime ?? Self.outputLifetime
            for (file, name) in [(batch.outputFile, "output"), (batch.errorFile, "errors")] {
                if let file { try transaction.completeOutput(file, name: "\(batch.publicID)_\(name).jsonl", lifetime: lifetime) }
            }
            transaction.ledger.ringResults()
            return batch
        }
    }

    /// How long the files of a batch are kept unless its client says otherwise, in milliseconds: 30 days.
    static let outputLifetime: Int64 = 30 * 86_400_000
}

extension WriteTransaction {
    fileprivate func beginOutput(key: Int64, _ purpose: FilePurpose) throws -> Int64 {
        // It is not given up: whoever goes on with the batch goes on with its file.
        let id = try statement("INSERT INTO files (key_id, name, purpose, created_at, expires_at) VALUES (?, '', ?, ?, NULL)")
            .bind(key).bind(purpose.rawValue).bind(now).insertedID()
        guard let id else { throw StoreError(.corrupt, "a file could not be added") }
        return id
    }

    /// Adds bytes to a file whose last piece may be short, which is then filled.
    fileprivate func append(_ bytes: [UInt8], toOutput file: Int64) throws {
        let last = try statement("SELECT number, bytes FROM file_chunks WHERE file_id = ? ORDER BY number DESC LIMIT 1").bind(file)
            .first { (number: $0.int64(0), bytes: $0.blob(1)) }
        var number = last.map { $0.number + 1 } ?? 0
        var rest = bytes[...]
        if let last, last.bytes.count < FileStore.pieceLength {
            let part = rest.prefix(FileStore.pieceLength - last.bytes.count)
            rest = rest.dropFirst(part.count)
            try statement("UPDATE file_chunks SET bytes = ? WHERE file_id = ? AND number = ?").bind(last.bytes + part).bind(file)
                .bind(last.number).run()
        }
        while !rest.isEmpty {
            let piece = rest.prefix(FileStore.pieceLength)
            rest = rest.dropFirst(piece.count)
            try statement("INSERT INTO file_chunks (file_id, number, bytes) VALUES (?, ?, ?)").bind(file).bind(number).bind(Array(piece))
                .run()
            number += 1
        }
    }

    fileprivate func completeOutput(_ file: Int64, name: String, lifetime: Int64) throws {
        let last = try statement("SELECT number, length(bytes) FROM file_chunks WHERE file_id = ? ORDER BY number DESC LIMIT 1").bind(file)
            .first { (number: $0.int64(0), length: $0.int64(1)) }
        let bytes = last.map { $0.number * Int64(FileStore.pieceLength) + $0.length } ?? 0
        try statement("UPDATE files SET name = ?, media_type = 'application/jsonl', bytes = ?, created_at = ?, expires_at = ? WHERE id = ?")
            .bind(name).bind(bytes).bind(now).bind(now + lifetime).bind(file).run()
    }
}
