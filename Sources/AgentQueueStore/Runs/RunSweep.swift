import AgentQueueModel

extension RunStore {
    /// Cancels a run: waiting calls are cancelled, running calls are told to stop. Returns the run's state afterwards; nil if it does not
    /// exist.
    package func cancel(run id: Int64) async throws -> RunState? {
        let state = try await write { transaction -> RunState? in
            let name = try transaction.statement("SELECT state FROM runs WHERE id = ?").bind(id).first { $0.text(0) }
            guard let state = name.flatMap(RunState.init(rawValue:)), state == .running else {
                return name.flatMap(RunState.init(rawValue:))
            }
            try transaction.statement("UPDATE runs SET version = version + 1 WHERE id = ?").bind(id).run()
            try transaction.finish(id, .cancelled, output: nil, reason: "it was cancelled", sweep: 2)
            return .cancelled
        }
        // Sweeps now as far as possible; maintenance finishes what a crash leaves.
        while try await sweep() {}
        return state
    }

    /// Cancels one slice of the jobs that outlive their runs. Returns whether there may be more to do.
    package func sweep(slice: Int = 200) async throws -> Bool {
        guard let run = try read({ try Self.sweptRun($0) }) else { return false }
        return try await write { try $0.sweep(run: run, slice: slice) }
    }

    /// An ended run with calls to cancel, or whose calls have all ended by now; nil if there is none.
    static func sweptRun(_ reader: ReadConnection) throws(SQLFailure) -> Int64? {
        try reader.statement(
            """
            SELECT id FROM runs WHERE sweep <> 0 AND sweep < 3 AND (
                NOT EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_run WHERE run_id = runs.id AND finalized_at IS NULL)
                OR EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_run WHERE run_id = runs.id AND finalized_at IS NULL
                           AND (state <> 'running' OR (sweep = 2 AND cancel_requested_at IS NULL))))
            LIMIT 1
            """
        ).number()
    }
}

extension WriteTransaction {
    /// Cancels a slice of a run's remaining jobs. While some still run, the run keeps its sweep mark, because one that fails would be
    /// retried.
    /// - Returns: whether there was anything to do.
    func sweep(run: Int64, slice: Int) throws -> Bool {
        let sweep = try statement("SELECT sweep FROM runs WHERE id = ?").bind(run).first { $0.int(0) } ?? 0
        guard sweep == 1 || sweep == 2 else { return true }
        let jobs = try statement(
            """
            SELECT id FROM jobs INDEXED BY jobs_run WHERE run_id = ?1 AND finalized_at IS NULL
            AND (state <> 'running' OR (?2 = 2 AND cancel_requested_at IS NULL)) LIMIT ?3
            """
        ).bind(run).bind(sweep).bind(slice).all { $0.int64(0) }
        for job in jobs { try cancel(job) }
        guard jobs.count < slice else { return true }
        let isOver = try statement(
            """
            UPDATE runs SET sweep = 0 WHERE id = ?1
            AND NOT EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_run WHERE run_id = ?1 AND finalized_at IS NULL)
            """
        ).bind(run).run()
        return isOver == 1 || !jobs.isEmpty
    }
}
