import GRDB

extension QueueStore {
    /// Looks, in one read, at what upkeep there is: so that a queue in order costs no more than that.
    public func duties() throws -> Duties {
        let now = clock.wall()
        return try read { database in
            let row = try Row.fetchOne(
                database.cachedStatement(
                    sql: """
                        SELECT (SELECT min(scheduled_at) FROM jobs INDEXED BY jobs_waiting
                                WHERE state = 'scheduled' AND state IN ('scheduled', 'retryable')),
                        (SELECT min(scheduled_at) FROM jobs INDEXED BY jobs_waiting
                         WHERE state = 'retryable' AND state IN ('scheduled', 'retryable')),
                        EXISTS (SELECT 1 FROM jobs WHERE expires_at IS NOT NULL AND finalized_at IS NULL AND expires_at <= ?
                                AND state <> 'running'),
                        EXISTS (SELECT 1 FROM cascades), EXISTS (SELECT 1 FROM landings),
                        EXISTS (SELECT 1 FROM run_ends) OR EXISTS (SELECT 1 FROM runs WHERE is_due = 1),
                        (SELECT min(next_at) FROM schedules WHERE next_at IS NOT NULL),
                        (SELECT min(next_at) FROM notices WHERE state = 'waiting')
                        """), arguments: [now])
            var duties = Duties(
                mayRescue: try !workersToRescue(database).isEmpty, hasExpired: row?[2] ?? false, hasCascade: row?[3] ?? false,
                hasLanding: row?[4] ?? false, hasDueRun: row?[5] ?? false, hasSweep: try Self.sweptRun(database) != nil,
                nextDue: [row?[0] as Int64?, row?[1] as Int64?].compactMap(\.self).min())
            duties.nextFiring = row?[6]
            duties.nextNotice = row?[7]
            return duties
        }
    }
}
