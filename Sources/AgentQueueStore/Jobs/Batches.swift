import AgentQueueModel

/// A batch: how far it is, and what it has cost.
package struct BatchSummary: Sendable, Equatable {
    package var id: Int64
    package var name: String
    /// Wall clock, ms.
    package var createdAt: Int64
    package var progress: BatchProgress
    /// The most its calls may cost together, in US dollars; nil means no limit.
    package var budget: Double?
    /// How many of its jobs completed or failed in the last ``rateWindow``.
    package var recentlyFinished = 0
    /// What its answers and failed attempts cost, as far as prices are known.
    package var cost = 0.0
    /// The number of answers and attempts whose price is not known.
    package var unpricedCalls = 0
    /// The tokens of its answers.
    package var usage = Usage()

    /// The time over which the rate is taken, in ms.
    package static let rateWindow: Int64 = 5 * 60_000

    /// How many jobs have not ended.
    package var open: Int { max(0, progress.jobs - progress.ended) }

    /// How long the rest will take at the rate of the last minutes, in ms; nil if it is done, or if nothing has finished lately.
    package func timeLeft(now: Int64) -> Int64? {
        guard open > 0, recentlyFinished > 0 else { return nil }
        let elapsed = max(1_000, min(Self.rateWindow, now - createdAt))
        return Int64(min(Double(open) / Double(recentlyFinished) * Double(elapsed), 1e15))
    }
}

/// What a batch consists of.
package struct BatchDetail: Sendable, Equatable {
    package var summary: BatchSummary
    package var states: [JobState: Int]
    /// The number of jobs by target, the most first.
    package var targets: [(name: String, jobs: Int)]
    /// The number of failed jobs by the class of their last error, the most first.
    package var failures: [(failure: FailureClass, jobs: Int)]

    package static func == (one: BatchDetail, other: BatchDetail) -> Bool {
        one.summary == other.summary && one.states == other.states && one.targets.elementsEqual(other.targets, by: ==)
            && one.failures.elementsEqual(other.failures, by: ==)
    }
}

extension JobStore {
    /// Returns a page of batches, newest first.
    /// - Parameter before: only batches with a smaller id; nil begins with the newest.
    package func batches(limit: Int, before: Int64? = nil) throws -> [BatchSummary] {
        let since = clock.wall() - BatchSummary.rateWindow
        return try read { reader in
            let batches = try reader.statement(
                """
                SELECT id, name, created_at, jobs, completed, cancelled, discarded, budget_usd FROM batches WHERE id < ?
                ORDER BY id DESC LIMIT ?
                """
            ).bind(before ?? .max).bind(limit).all { BatchSummary($0) }
            let recent = batches.contains { $0.open > 0 } ? try Self.recentlyFinished(since: since, reader) : [:]
            return try batches.map { try $0.completed(reader, recentlyFinished: recent) }
        }
    }

    /// Returns all about a batch; nil if no batch has that name.
    package func batchDetail(named name: String) throws -> BatchDetail? {
        let since = clock.wall() - BatchSummary.rateWindow
        return try read { reader in
            let found = try reader.statement(
                "SELECT id, name, created_at, jobs, completed, cancelled, discarded, budget_usd FROM batches WHERE name = ?"
            ).bind(name).first { BatchSummary($0) }
            guard let found else { return nil }
            let recent = found.open > 0 ? try Self.recentlyFinished(since: since, reader) : [:]
            let targets = try reader.statement(
                """
                SELECT target, count(*) FROM jobs JOIN lanes ON lanes.id = lane_id WHERE batch_id = ? GROUP BY target
                ORDER BY count(*) DESC, target
                """
            ).bind(found.id).all { (name: $0.text(0), jobs: $0.int(1)) }
            let failures = try reader.statement(
                """
                SELECT class, count(*) FROM (
                    SELECT (SELECT class FROM job_errors WHERE job_errors.job_id = jobs.id ORDER BY job_errors.id DESC LIMIT 1) AS class
                    FROM jobs WHERE batch_id = ? AND +state = 'discarded'
                ) AS failed WHERE class IS NOT NULL GROUP BY class ORDER BY count(*) DESC, class
                """
            ).bind(found.id).all { (failure: FailureClass(rawValue: $0.text(0)) ?? .permanent, jobs: $0.int(1)) }
            return BatchDetail(
                summary: try found.completed(reader, recentlyFinished: recent),
                states: try JobQuery(JobFilter(batch: name), in: reader).counts(reader, leavesEndedSteps: false), targets: targets,
                failures: failures)
        }
    }

    /// The number of jobs of each batch that completed or failed lately. The index of ended jobs has the latest together.
    private static func recentlyFinished(since: Int64, _ reader: ReadConnection) throws -> [Int64: Int] {
        let rows = try reader.statement(
            """
            SELECT batch_id, count(*) FROM jobs WHERE finalized_at IS NOT NULL AND state IN ('completed', 'discarded') AND finalized_at > ?
            AND batch_id IS NOT NULL GROUP BY batch_id
            """
        ).bind(since).all { ($0.int64(0), $0.int(1)) }
        return Dictionary(rows) { $1 }
    }
}

extension BatchSummary {
    fileprivate init(_ row: Statement) {
        id = row.int64(0)
        name = row.text(1)
        createdAt = row.int64(2)
        progress = BatchProgress(jobs: row.int(3), completed: row.int(4), cancelled: row.int(5), discarded: row.int(6))
        budget = row.optionalDouble(7)
    }

    /// Adds what its jobs say.
    fileprivate func completed(_ reader: ReadConnection, recentlyFinished: [Int64: Int]) throws -> BatchSummary {
        var batch = self
        batch.recentlyFinished = recentlyFinished[id] ?? 0
        // An answer of schema 7 that cost nothing may have been free or of an unknown price: it counts as unknown.
        let answers = try reader.statement(
            """
            SELECT sum(results.cost_usd), sum(input_tokens), sum(output_tokens),
            sum(CASE WHEN answered_by IN ('provider', 'fallback') THEN coalesce(unpriced, CASE WHEN cost_usd = 0 THEN 1 ELSE 0 END) ELSE 0 END)
            FROM jobs JOIN results ON results.job_id = jobs.id WHERE batch_id = ?
            """
        ).bind(id).first { (cost: $0.double(0), usage: Usage(inputTokens: $0.int(1), outputTokens: $0.int(2)), unpriced: $0.int(3)) }
        let attempts = try reader.statement(
            "SELECT sum(cost_usd), sum(unpriced) FROM jobs JOIN job_errors ON job_errors.job_id = jobs.id WHERE batch_id = ?"
        ).bind(id).first { (cost: $0.double(0), unpriced: $0.int(1)) }
        // What was paid before a job was asked anew was paid too.
        let replaced = try reader.statement(
            """
            SELECT sum(replaced_results.cost_usd),
            sum(CASE WHEN answered_by IN ('provider', 'fallback') THEN coalesce(unpriced, CASE WHEN cost_usd = 0 THEN 1 ELSE 0 END) ELSE 0 END)
            FROM jobs JOIN replaced_results ON replaced_results.job_id = jobs.id WHERE batch_id = ?
            """
        ).bind(id).first { (cost: $0.double(0), unpriced: $0.int(1)) }
        batch.cost = (answers?.cost ?? 0) + (attempts?.cost ?? 0) + (replaced?.cost ?? 0)
        batch.usage = answers?.usage ?? Usage()
        batch.unpricedCalls = (answers?.unpriced ?? 0) + (attempts?.unpriced ?? 0) + (replaced?.unpriced ?? 0)
        return batch
    }
}
