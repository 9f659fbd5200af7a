import AgentQueueModel

/// What is to be done next for a client's batch that has not ended.
package enum ClientBatchStep: Sendable, Equatable {
    /// Read the input: check it, or add its requests from where the last reader stopped.
    case ingest
    /// Cancel what waits, and after a while what runs.
    case cancel
    /// Nothing but to wait for jobs, some of which may have to expire.
    case expire
    /// Write the files.
    case finish
}

/// A batch and what is to be done for it.
package struct ClientBatchTask: Sendable, Equatable {
    package var batch: ClientBatch
    package var step: ClientBatchStep
    /// The last line of its input that was added.
    package var addedLine: Int64
    /// The last line that is in its files.
    package var writtenLine: Int64
}

/// A request of a batch as it is added.
package struct NewLine: Sendable {
    package var line: Int64
    package var customID: String
    /// Its job, or what is wrong with it.
    package var job: Result<NewJob, LineError>

    package init(line: Int64, customID: String, job: Result<NewJob, LineError>) {
        self.line = line
        self.customID = customID
        self.job = job
    }
}

/// What is wrong with a request, in its readers' own form.
package struct LineError: Error, Sendable, Equatable {
    package var json: JSONValue

    package init(_ json: JSONValue) { self.json = json }
}

extension ClientBatchStore {
    /// Returns the batches that have something to be done now, the oldest first.
    package func tasks(limit: Int = 100) throws -> [ClientBatchTask] {
        let now = clock.wall()
        return try read { reader in
            let due = try reader.statement(Self.due).bind(now).bind(limit).all {
                (id: $0.int64(0), added: $0.int64(1), written: $0.int64(2), isIngested: !$0.isNull(3), waits: $0.bool(4))
            }
            return try due.compactMap { row in
                guard let batch = try reader.statement(Self.byID).bind(row.id).first({ try ClientBatch($0) }) else { return nil }
                let step: ClientBatchStep =
                    if !row.isIngested { .ingest } else if !row.waits { .finish } else if batch.state == .cancelling { .cancel } else {
                        .expire
                    }
                return ClientBatchTask(batch: batch, step: step, addedLine: row.added, writtenLine: row.written)
            }
        }
    }

    /// Makes a process the one that works on a batch, unless another that lives is. Only it can add to the batch or write its files.
    /// - Parameter server: the process, as registered by ``GatewayStore/register()``.
    package func take(_ id: Int64, server: Int64) async throws -> Bool {
        let locks = locks
        return try await write { transaction in
            let row = try transaction.statement(
                """
                SELECT worker_id, (SELECT boot_id FROM workers WHERE workers.id = worker_id) FROM client_batches
                WHERE id = ? AND ended_at IS NULL
                """
            ).bind(id).first { (owner: $0.optionalInt64(0), bootID: $0.optionalText(1)) }
            guard let row else { return false }
            guard row.owner != server else { return true }
            // One whose row was removed, or that is of another boot, has ended, whatever its byte says.
            if let owner = row.owner, row.bootID == transaction.clock.bootID(), locks.isAlive(worker: owner),
                !locks.isLost(worker: owner, now: transaction.clock.boot())
            {
                return false
            }
            return try transaction.statement("UPDATE client_batches SET worker_id = ? WHERE id = ?").bind(server).bind(id).run() == 1
        }
    }

    /// Records that a batch's input was checked: from now on its requests are added.
    /// - Parameters:
    ///   - lines: how many requests it has.
    ///   - model: the first model that it names.
    /// - Returns: false if the batch was cancelled, or is another process's.
    package func begin(_ id: Int64, lines: Int, model: String?, server: Int64) async throws -> Bool {
        try await write { transaction in
            try transaction.statement(
                """
                UPDATE client_batches SET state = 'in_progress', in_progress_at = ?, lines = ?, model = ?
                WHERE id = ? AND worker_id = ? AND state = 'validating'
                """
            ).bind(transaction.now).bind(lines).bind(model).bind(id).bind(server).run() == 1
        }
    }

    /// Ends a batch whose input is wrong. Nothing of it was added.
    /// - Parameter errors: what is wrong, as its client reads it.
    /// - Returns: false if the batch was cancelled, or is another process's.
    package func fail(_ id: Int64, errors: [JSONValue], server: Int64) async throws -> Bool {
        try await write { transaction in
            try transaction.statement(
                """
                UPDATE client_batches SET state = 'failed', ended_at = ?, errors = ?, worker_id = NULL
                WHERE id = ? AND worker_id = ? AND state = 'validating'
                """
            ).bind(transaction.now).bind(JSONValue.array(errors).text).bind(id).bind(server).run() == 1
        }
    }

    /// Adds requests of a batch and their jobs, all or none. If the batch is being cancelled or its window is over, they end at once
    /// instead and become no jobs.
    /// - Parameters:
    ///   - lines: in their order.
    ///   - added: the last line that was added before. If another process has added more since, nothing is added.
    /// - Returns: whether they ended at once; nil if they were not added.
    package func add(_ lines: [NewLine], to id: Int64, after added: Int64, server: Int64) async throws -> Bool? {
        guard let last = lines.last?.line else { return false }
        return try await write { transaction in
            let batch = try transaction.clientBatch(id)
            let tag = try transaction.batch(named: batch.publicID)
            let changed = try transaction.statement(
                """
                UPDATE client_batches SET added_line = ?, batch_id = ? WHERE id = ? AND added_line = ? AND worker_id = ?
                AND ingested_at IS NULL AND ended_at IS NULL
                """
            ).bind(last).bind(tag).bind(id).bind(added).bind(server).run()
            guard changed == 1 else { return nil }
            let early: LineOutcome? =
                batch.state == .cancelling ? .cancelled : batch.expiresAt <= transaction.now ? .expired : nil
            try transaction.add(lines, to: batch, early)
            return early != nil
        }
    }

    /// Records that all requests of a batch have been added. Its input is not read any more, and one that no list shows is removed.
    /// - Parameter lines: how many there are.
    package func completeIngest(_ id: Int64, lines: Int, server: Int64) async throws {
        let input = try await write { transaction -> Int64? in
            let changed = try transaction.statement(
                "UPDATE client_batches SET ingested_at = ?, lines = ? WHERE id = ? AND worker_id = ? AND ingested_at IS NULL AND ended_at IS NULL"
            ).bind(transaction.now).bind(lines).bind(id).bind(server).run()
            guard changed == 1 else { return nil }
            let batch = try transaction.clientBatch(id)
            try transaction.discardHiddenFile(batch.inputFile)
            transaction.ledger.ringResults()
            return batch.form == .messages ? batch.inputFile : nil
        }
        guard let input else { return }
        while try await write({ try !$0.removeFile(input, pieces: FileStore.piecesAtOnce) }) {}
    }

    /// Cancels jobs of a batch that wait, at most `slice`. Those that run may finish.
    /// - Parameter runs: whether to stop those that run, too.
    /// - Returns: how many there were.
    package func cancelJobs(of id: Int64, runs: Bool = false, slice: Int = 200) async throws -> Int {
        try await write { transaction in
            let jobs = try transaction.statement(
                """
                SELECT jobs.id FROM client_lines INDEXED BY client_lines_ended CROSS JOIN jobs ON jobs.id = client_lines.job_id
                WHERE client_batch = ? AND ended IS NULL AND finalized_at IS NULL AND (state <> 'running' OR (? = 1 AND cancel_requested_at IS NULL))
                LIMIT ?
                """
            ).bind(id).bind(runs).bind(slice).all { $0.int64(0) }
            for job in jobs { try transaction.cancel(job) }
            return jobs.count
        }
    }

    private static let due = SQLText(
        """
        SELECT id, added_line, written_line, ingested_at,
        EXISTS (SELECT 1 FROM client_lines WHERE client_batch = client_batches.id AND ended IS NULL)
        FROM client_batches WHERE ended_at IS NULL AND (ingested_at IS NULL OR state = 'cancelling' OR expires_at <= ?
            OR NOT EXISTS (SELECT 1 FROM client_lines WHERE client_batch = client_batches.id AND ended IS NULL))
        ORDER BY id LIMIT ?
        """)
}

extension WriteTransaction {
    fileprivate func add(_ lines: [NewLine], to batch: ClientBatch, _ early: LineOutcome?) throws {
        var ends = LineEnds()
        var marks: [(outcome: LineOutcome?, job: Int64?, error: JSONValue?)] = []
        for line in lines {
            switch (early, line.job) {
            case (let outcome?, _): marks.append((outcome, nil, nil))
            case (nil, .failure(let error)): marks.append((.failed, nil, error.json))
            case (nil, .success(var job)):
                job.batch = batch.publicID
                let added = try enqueue(job)
                // The cache may have answered at once.
                marks.append((added.state == .completed ? .succeeded : nil, added.id, nil))
            }
            if let outcome = marks[marks.count - 1].outcome { ends.count(outcome) }
        }
        var mark = ends.total == 0 ? 0 : try count(ends, inClientBatch: batch.id)
        for (line, end) in zip(lines, marks) {
            if end.outcome != nil { mark += 1 }
            try statement(
                "INSERT INTO client_lines (client_batch, line, custom_id, job_id, outcome, ended, error) VALUES (?, ?, ?, ?, ?, ?, ?)"
            ).bind(batch.id).bind(line.line).bind(line.customID).bind(end.job).bind(end.outcome?.rawValue)
                .bind(end.outcome == nil ? nil : mark).bind(end.error?.text).run()
        }
    }
}
