import GRDB
import JobModel

extension QueueStore {
    /// What a job waits for; nil where it is not pending, or nothing is known.
    public func wait(of job: Int64) throws -> JobWait? {
        try read { database in
            guard try String.fetchOne(database, sql: "SELECT state FROM jobs WHERE id = ?", arguments: [job]) == JobState.pending.rawValue
            else { return nil }
            let batch = try Row.fetchOne(
                database,
                sql: """
                    SELECT id, state FROM provider_batches
                    WHERE id = (SELECT batch_id FROM provider_batch_jobs WHERE job_id = ? AND is_given_up = 0)
                    """, arguments: [job])
            if let batch { return .providerBatch(batch[0], ProviderBatch.State(rawValue: batch[1]) ?? .submitted) }
            let follower = try Row.fetchOne(
                database,
                sql: """
                    SELECT (SELECT id FROM jobs WHERE jobs.digest = followers.digest AND state = 'running' AND use_cache = 1
                            ORDER BY id LIMIT 1) FROM followers WHERE job_id = ?
                    """, arguments: [job])
            if let follower { return .identicalJob(follower[0]) }
            let open = try Int64.fetchAll(
                database,
                sql: """
                    SELECT depends_on FROM dependencies JOIN jobs ON jobs.id = depends_on
                    WHERE job_id = ? AND finalized_at IS NULL ORDER BY depends_on LIMIT 10
                    """, arguments: [job])
            return open.isEmpty ? nil : .jobs(open)
        }
    }
}
