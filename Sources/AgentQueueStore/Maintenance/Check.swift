import AgentQueueModel

/// The result of checking the database.
package struct CheckReport: Sendable, Equatable {
    /// One sentence per fault; empty if the database is sound.
    package var faults: [String]
    /// The SQLite version in use, for example `3.51.3`.
    package var sqliteVersion: String
    /// Whether checkpoints are guarded against SQLite's WAL-reset bug: true if the version in use has the bug.
    package var guardsCheckpoints: Bool

    /// Whether no fault was found.
    package var isSound: Bool { faults.isEmpty }
}

extension MaintenanceStore {
    /// Checks every page and every invariant: SQLite's own integrity, and what the queue guarantees about its rows.
    package func check() throws -> CheckReport {
        let faults = try read { reader in
            var faults = try reader.fileFaults()
            for (sql, sentence) in Self.invariants + Self.memoryInvariants + Self.runInvariants + Self.gatewayInvariants {
                try reader.statement(building: sql + " LIMIT 20").eachRow { row in
                    let values = (0..<row.columnCount).map { "\(row.name(of: $0)) \(row.shown($0))" }
                    faults.append("\(sentence): \(values.joined(separator: ", "))")
                }
            }
            return try faults + MemorySnapshot(reader, now: clock.wall()).faultyBlocks()
        }
        return CheckReport(
            faults: faults, sqliteVersion: SQLiteLibrary.version, guardsCheckpoints: !Checkpoints.hasWALResetFix(SQLiteLibrary.number))
    }

    /// SQL condition: whether a row with a `target` concerns the resource called `name`.
    private static let isAbout = "(target = name OR substr(target, 1, instr(target, '/') - 1) = name)"

    /// The same for a row of `reservations`, which may concern a key too.
    private static let isHeld =
        "(\(isAbout) OR key_id IS NOT NULL AND name = (SELECT 'key:' || api_keys.name FROM api_keys WHERE id = reservations.key_id))"

    /// Queries that find violations, each with the sentence that reports them.
    private static let invariants: [(sql: String, sentence: String)] = [
        (
            "SELECT id FROM jobs WHERE (finalized_at IS NOT NULL) <> (state IN ('completed', 'cancelled', 'discarded'))",
            "finalized_at contradicts the state"
        ),
        (
            "SELECT id FROM jobs WHERE state = 'running' AND (token IS NULL OR lease_expires_at IS NULL OR worker_id IS NULL)",
            "a running job has no lease"
        ),
        ("SELECT job_id FROM results WHERE job_id NOT IN (SELECT id FROM jobs)", "a result has no job"),
        (
            "SELECT job_id FROM results JOIN jobs ON jobs.id = job_id WHERE state <> 'completed'",
            "a job that has not completed has a result"
        ),
        (
            "SELECT id FROM jobs WHERE state = 'completed' AND NOT EXISTS (SELECT 1 FROM results WHERE job_id = jobs.id)",
            "a completed job has no result"
        ),
        ("SELECT id FROM jobs WHERE NOT EXISTS (SELECT 1 FROM requests WHERE job_id = jobs.id)", "a job has no request"),
        (
            "SELECT id, token FROM jobs WHERE token > (SELECT value FROM counters WHERE name = 'token')",
            "a token is ahead of its counter"
        ),
        (
            """
            SELECT id FROM jobs WHERE state = 'pending' AND NOT EXISTS (SELECT 1 FROM dependencies WHERE job_id = jobs.id AND met = 0)
            AND NOT EXISTS (SELECT 1 FROM provider_batch_jobs WHERE job_id = jobs.id AND is_given_up = 0)
            AND NOT EXISTS (SELECT 1 FROM followers WHERE job_id = jobs.id)
            """, "a pending job waits for nothing"
        ),
        (
            "SELECT job_id FROM followers JOIN jobs ON jobs.id = job_id WHERE state <> 'pending' OR jobs.digest <> followers.digest",
            "a job that does not wait follows another's answer"
        ),
        (
            """
            SELECT job_id FROM followers WHERE NOT EXISTS (SELECT 1 FROM landings WHERE digest = followers.digest)
            AND NOT EXISTS (SELECT 1 FROM provider_batch_jobs WHERE digest = followers.digest)
            AND NOT EXISTS (SELECT 1 FROM jobs WHERE digest = followers.digest AND use_cache = 1 AND state IN ('running', 'available'))
            """, "a job waits for an answer that no one asks for"
        ),
        (
            """
            SELECT lanes.id, name, kept, found FROM lanes JOIN (
                \(JobState.allCases.map { state in
                    """
                    SELECT id AS lane, '\(state.rawValue)' AS name, \(state.rawValue) AS kept,
                    (SELECT count(*) FROM jobs WHERE lane_id = lanes.id AND +state = '\(state.rawValue)') AS found FROM lanes
                    """
                }.joined(separator: " UNION ALL "))
            ) AS counts ON lane = lanes.id WHERE kept <> found
            """, "a lane's count is wrong"
        ),
        (
            """
            SELECT id, jobs AS kept, (SELECT count(*) FROM jobs WHERE batch_id = batches.id) AS found FROM batches
            WHERE jobs <> (SELECT count(*) FROM jobs WHERE batch_id = batches.id) OR completed + cancelled + discarded <>
            (SELECT count(*) FROM jobs WHERE batch_id = batches.id AND finalized_at IS NOT NULL)
            """, "a batch's count is wrong"
        ),
        (
            """
            SELECT name, value FROM counters WHERE (name = 'cache_entries' AND value <> (SELECT count(*) FROM cache_entries))
            OR (name = 'cache_bytes' AND value <> (SELECT coalesce(sum(bytes), 0) FROM cache_entries))
            """, "a count of the cache is wrong"
        ),
        (
            """
            SELECT reservations.job_id FROM reservations LEFT JOIN jobs ON jobs.id = reservations.job_id
            WHERE CASE reservations.token WHEN 0 THEN NOT EXISTS (
                SELECT 1 FROM provider_batch_jobs WHERE job_id = reservations.job_id AND is_given_up = 0)
            ELSE jobs.state IS DISTINCT FROM 'running' OR jobs.token <> reservations.token END
            """, "something is set aside for a call that is not under way"
        ),
        (
            """
            SELECT name, running AS kept, (SELECT coalesce(sum(requests), 0) FROM reservations WHERE \(isHeld)) AS found FROM resources
            WHERE running <> (SELECT coalesce(sum(requests), 0) FROM reservations WHERE \(isHeld))
            """, "a provider's count of calls under way is wrong"
        ),
        (
            """
            SELECT name, trials AS kept, (SELECT coalesce(sum(requests), 0) FROM reservations WHERE \(isAbout) AND call > trial_after) AS found
            FROM resources WHERE trials <> (SELECT coalesce(sum(requests), 0) FROM reservations WHERE \(isAbout) AND call > trial_after)
            """, "a provider's count of calls on trial is wrong"
        ),
        (
            """
            SELECT name, reserved_usd AS kept, (SELECT coalesce(sum(worst_usd), 0.0) FROM reservations WHERE \(isHeld)) AS found
            FROM resources WHERE abs(reserved_usd - (SELECT coalesce(sum(worst_usd), 0.0) FROM reservations WHERE \(isHeld))) > 1e-6
            """, "a provider's money set aside is wrong"
        ),
        (
            """
            SELECT name, spent_usd AS kept, (SELECT coalesce(sum(cost_usd), 0.0) FROM charges WHERE at / 86400000 = day AND \(isAbout)) AS found
            FROM resources WHERE name NOT LIKE 'key:%' AND abs(spent_usd - (SELECT coalesce(sum(cost_usd), 0.0) FROM charges WHERE at / 86400000 = day AND \(isAbout)))
            > 1e-6 * max(1.0, spent_usd)
            """, "what a provider cost on a day is not the sum of its charges"
        ),
        (
            """
            SELECT job_id, target FROM reservations WHERE target NOT IN (SELECT name FROM resources)
            OR substr(target, 1, instr(target, '/') - 1) NOT IN (SELECT name FROM resources)
            """, "something is set aside at a provider that is not known"
        ),
        (
            """
            SELECT name FROM resources WHERE breaker = 'half_open'
            AND NOT EXISTS (SELECT 1 FROM reservations WHERE call = breaker_probe AND is_probe = 1 AND \(isAbout))
            """, "a breaker waits for a probe that is not under way"
        ),
        (
            """
            SELECT id, reserved_usd AS kept, (SELECT coalesce(sum(worst_usd), 0.0) FROM reservations WHERE batch_id = batches.id) AS found
            FROM batches WHERE abs(reserved_usd - (SELECT coalesce(sum(worst_usd), 0.0) FROM reservations WHERE batch_id = batches.id)) > 1e-6
            """, "a batch's money set aside is wrong"
        ),
        (
            """
            SELECT id, spent_usd AS kept, (SELECT coalesce(sum(cost_usd), 0.0) FROM charges WHERE batch_id = batches.id) AS found
            FROM batches WHERE created_at >= (SELECT value FROM counters WHERE name = 'charges_since')
            AND abs(spent_usd - (SELECT coalesce(sum(cost_usd), 0.0) FROM charges WHERE batch_id = batches.id)) > 1e-6 * max(1.0, spent_usd)
            """, "what a batch cost is not the sum of its charges"
        ),
        (
            """
            SELECT job_id, provider_batch_jobs.batch_id FROM provider_batch_jobs LEFT JOIN jobs ON jobs.id = job_id
            WHERE is_given_up = 0 AND state IS DISTINCT FROM 'pending'
            """, "a job of a provider's batch does not wait for it"
        ),
        (
            "SELECT job_id FROM provider_batch_jobs WHERE is_given_up = 0 GROUP BY job_id HAVING count(*) > 1",
            "a job is in two batches of its provider"
        ),
        (
            """
            SELECT id, jobs AS kept, (SELECT count(*) FROM provider_batch_jobs WHERE batch_id = provider_batches.id) AS found
            FROM provider_batches WHERE (SELECT count(*) FROM provider_batch_jobs WHERE batch_id = provider_batches.id) > jobs
            OR (state IN ('collecting', 'submitting')
                AND (jobs <> (SELECT count(*) FROM provider_batch_jobs WHERE batch_id = provider_batches.id)
                     OR bytes <> (SELECT coalesce(sum(bytes), 0) FROM provider_batch_jobs WHERE batch_id = provider_batches.id)))
            """, "a count of a provider's batch is wrong"
        ),
        (
            "SELECT batch_id, job_id FROM provider_batch_jobs JOIN provider_batches ON provider_batches.id = batch_id WHERE state = 'ended'",
            "a provider's batch that has ended holds a job"
        ),
        (
            "SELECT job_id FROM streams JOIN jobs ON jobs.id = job_id WHERE finalized_at IS NOT NULL",
            "a job that has ended has a stream"
        ),
    ]
}

extension MaintenanceStore {
    /// Queries that find violations among runs, each with the sentence that reports them.
    static let runInvariants: [(sql: String, sentence: String)] = [
        (
            """
            SELECT run_steps.run_id, path FROM run_steps JOIN jobs ON jobs.id = job_id
            WHERE run_steps.state <> 'running' AND (run_steps.state = 'completed') <> (jobs.state = 'completed')
            """, "a step's state is not its job's"
        ),
        (
            """
            SELECT run_steps.run_id, path FROM run_steps JOIN jobs ON jobs.id = job_id
            WHERE run_steps.state = 'running' AND finalized_at IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM run_ends WHERE run_ends.job_id = jobs.id)
            """, "a run will not be told of the end of its step"
        ),
        (
            """
            SELECT run_ends.run_id, run_ends.job_id FROM run_ends WHERE NOT EXISTS (
                SELECT 1 FROM run_steps JOIN jobs ON jobs.id = job_id WHERE run_steps.job_id = run_ends.job_id
                AND run_steps.run_id = run_ends.run_id AND run_steps.state = 'running' AND finalized_at IS NOT NULL)
            """, "a run is to be told of an end that is none"
        ),
        (
            "SELECT run_steps.run_id, path FROM run_steps JOIN jobs ON jobs.id = job_id WHERE jobs.run_id IS DISTINCT FROM run_steps.run_id",
            "a step's job is not its run's"
        ),
        (
            """
            SELECT id FROM runs WHERE state = 'running' AND is_due = 0
            AND NOT EXISTS (SELECT 1 FROM run_steps WHERE run_id = runs.id AND state = 'running')
            """, "a run waits for nothing"
        ),
        ("SELECT id FROM runs WHERE (finalized_at IS NOT NULL) <> (state <> 'running')", "a run's end contradicts its state"),
        ("SELECT id FROM runs WHERE state = 'running' AND sweep <> 0", "a run goes on, and its calls are to be cancelled"),
        ("SELECT id FROM runs WHERE state <> 'running' AND is_due = 1", "a run has ended, and has more to begin"),
        (
            """
            SELECT id FROM runs WHERE state <> 'running' AND sweep = 0
            AND EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_run WHERE run_id = runs.id AND finalized_at IS NULL)
            """, "a run has ended, and calls of it go on"
        ),
    ]
}

extension MaintenanceStore {
    /// Queries that find violations among what the gateway has added, each with the sentence that reports them.
    static let gatewayInvariants: [(sql: String, sentence: String)] = [
        ("SELECT job_id FROM gateway_calls WHERE job_id NOT IN (SELECT id FROM jobs)", "a call of the gateway has no job"),
        (
            "SELECT job_id, choice, call_id FROM gateway_calls WHERE (choice = 0) <> (call_id = job_id)",
            "a call of the gateway is not named by its first job"
        ),
        (
            """
            SELECT choices.job_id, choices.call_id FROM gateway_calls AS choices JOIN gateway_calls AS calls ON calls.job_id = choices.call_id
            WHERE choices.key_id <> calls.key_id OR choices.attach <> calls.attach OR choices.form <> calls.form
            """, "a sample is not of its call's request"
        ),
        (
            """
            SELECT id FROM jobs JOIN requests ON job_id = jobs.id
            WHERE (jobs.native IS NULL) <> (requests.native IS NULL) OR (requests.native IS NULL) <> (native_form IS NULL)
            """, "a request as its client wrote it is not whole"
        ),
        (
            """
            SELECT client_batch, line FROM client_lines JOIN client_batches ON client_batches.id = client_batch
            LEFT JOIN jobs ON jobs.id = job_id WHERE ended_at IS NULL AND finalizing_at IS NULL
            AND (outcome IS NULL) <> (job_id IS NOT NULL AND jobs.finalized_at IS NULL)
            """, "a batch of a client will not be told of an end"
        ),
        (
            """
            SELECT id FROM client_batches WHERE succeeded + failed + cancelled + expired <> (
                SELECT count(*) FROM client_lines WHERE client_batch = client_batches.id AND outcome IS NOT NULL)
            """, "a batch of a client counts other ends than it has"
        ),
        (
            "SELECT id FROM client_batches WHERE (ended_at IS NOT NULL) <> (state IN ('completed', 'failed', 'expired', 'cancelled'))",
            "the end of a client's batch contradicts its state"
        ),
    ]
}
