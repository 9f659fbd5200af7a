extension QueueStore {
    /// Queries that find what must not be of runs, and the sentence for it.
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
            "SELECT run_steps.run_id, path FROM run_steps JOIN jobs ON jobs.id = job_id WHERE jobs.run_id IS NOT run_steps.run_id",
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
