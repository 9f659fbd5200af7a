import AgentQueueModel

extension RunStore {
    /// Starts a run with its first calls, in one transaction. If another run already has its unique key, returns that run.
    /// - Throws: `StoreError`.
    package func start(_ run: NewRun) async throws -> StartedRun {
        try await write { try $0.start(run) }
    }

    /// Writes an advance, unless the run has changed since it was decided. Returns whether it was written.
    /// - Throws: `StoreError`: `conflict` if a run cannot be resumed, `internal` if the advance contradicts the run.
    package func advance(_ advance: RunAdvance) async throws -> Bool {
        try await write { transaction in
            guard try transaction.isCurrent(advance) else { return false }
            try transaction.write(advance)
            return true
        }
    }

    /// Runs that have ends to handle, or more calls to begin.
    package func due(limit: Int = 100) throws -> [Int64] {
        try read { reader in
            try reader.statement(
                """
                SELECT run_id FROM (SELECT DISTINCT run_id FROM run_ends LIMIT ?1) AS told
                UNION SELECT id FROM (SELECT id FROM runs WHERE is_due = 1 LIMIT ?1) AS due LIMIT ?1
                """
            ).bind(limit).all { $0.int64(0) }
        }
    }

    /// Whether a run has ends to handle, or more calls to begin.
    package func isDue(run id: Int64) throws -> Bool {
        try read { reader in
            try reader.statement(
                """
                SELECT EXISTS (SELECT 1 FROM run_ends WHERE run_id = ?1)
                OR EXISTS (SELECT 1 FROM runs WHERE id = ?1 AND is_due = 1)
                """
            ).bind(id).first { $0.bool(0) } ?? false
        }
    }

    /// Advances due runs: handles the ends of their jobs and begins the next calls.
    /// - Parameter ended: called for each run that ends as a result.
    /// - Returns: whether there may be more to do.
    /// - Throws: the first `StoreError`, after the remaining runs have been advanced.
    package func resume(
        runs planner: any RunPlanner, ended: (Int64, RunEnd) -> Void = { _, _ in }
    ) async throws -> Bool {
        var wrote = false
        var failure: (any Error)?
        for run in try due() {
            try Task.checkCancellation()
            do {
                let advance = try await resume(run: run, planner)
                wrote = wrote || advance != nil
                if let end = advance?.end { ended(run, end) }
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return wrote
    }

    /// Advances one run until it is no longer due.
    /// - Parameter ended: called if the run ends as a result.
    package func resume(
        run: Int64, with planner: any RunPlanner, ended: (Int64, RunEnd) -> Void = { _, _ in }
    ) async throws {
        // Another process may win some of the rounds on the same run; it has then done that work.
        while try isDue(run: run) {
            try Task.checkCancellation()
            if let end = try await resume(run: run, planner)?.end { ended(run, end) }
        }
    }

    /// Makes one advance of a run. Returns what was written; nil if another process was faster.
    private func resume(run: Int64, _ planner: any RunPlanner) async throws -> RunAdvance? {
        guard let snapshot = try snapshot(run) else { return nil }
        let advance = try Self.plan(snapshot, planner)
        do {
            return try await self.advance(advance) ? advance : nil
        } catch let error as StoreError where error.kind == .internal && snapshot.state == .running {
            // An advance that contradicts its run would do so forever.
            let end = snapshot.giving(up: "it could not go on: \(error)")
            return try await self.advance(end) ? end : nil
        }
    }

    /// Plans the run's next steps. A planning error ends the run, because planning would fail again; if the store cannot be read, the plan
    /// is tried again later.
    private static func plan(_ snapshot: RunSnapshot, _ planner: any RunPlanner) throws(StoreError) -> RunAdvance {
        guard !snapshot.state.isFinal else { return snapshot.recordingEnds() }
        do {
            return try planner.plan(snapshot, ended: nil)
        } catch let error as StoreError {
            throw error
        } catch {
            return snapshot.giving(up: "it could not go on: \(error)")
        }
    }
}

extension WriteTransaction {
    /// Starts a run with its first calls.
    func start(_ run: NewRun) throws -> StartedRun {
        if let key = run.uniqueKey, let holder = try holder(ofRunKey: key) { return StartedRun(id: holder, duplicateOf: holder) }
        try statement("INSERT INTO pipelines (digest, definition) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(run.digest).bind(run.definition).run()
        let id =
            try statement(
                """
                INSERT INTO runs (name, pipeline, inputs, options, state, unique_key, created_at) VALUES (?, ?, ?, ?, 'running', ?, ?)
                """
            ).bind(run.name).bind(run.digest).bind(run.inputs.text).bind(run.options.json.text).bind(run.uniqueKey).bind(now)
            .insertedID() ?? 0
        try watch(.run, id, tell: run.onFinish, onFailure: run.onFailure)
        var first = run.first
        first.run = id
        try write(first)
        return StartedRun(id: id)
    }

    /// The run that currently has a unique key; nil if none has.
    func holder(ofRunKey key: String) throws(SQLFailure) -> Int64? {
        try statement("SELECT id FROM runs WHERE unique_key = ? AND state IN ('running', 'completed')").bind(key).first { $0.int64(0) }
    }
}
