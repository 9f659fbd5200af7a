/// The maintenance to be done, as of one read.
package struct PendingMaintenance: Sendable, Equatable {
    /// Whether a worker may have died or lost its lease.
    package var mayRescue: Bool
    /// Whether a job has expired before it began.
    package var hasExpired: Bool
    /// Whether the end of a job must be passed on to its dependents.
    package var hasCascade: Bool
    /// Whether an answer must be fanned out to more jobs than its own transaction completed.
    package var hasFanOut: Bool
    /// Whether a run has ended jobs to handle, or more calls to begin.
    package var hasDueRun: Bool
    /// Whether an ended run has calls to cancel.
    package var hasSweep: Bool
    /// When the next scheduled or retryable job is due (wall clock, ms).
    package var nextDue: Int64?
    /// When the next schedule fires (wall clock, ms).
    package var nextFiring: Int64?
    /// When the next notification is due (wall clock, ms).
    package var nextNotification: Int64?

    /// By default, nothing is pending.
    package init(
        mayRescue: Bool = false, hasExpired: Bool = false, hasCascade: Bool = false, hasFanOut: Bool = false,
        hasDueRun: Bool = false, hasSweep: Bool = false, nextDue: Int64? = nil
    ) {
        self.mayRescue = mayRescue
        self.hasExpired = hasExpired
        self.hasCascade = hasCascade
        self.hasFanOut = hasFanOut
        self.hasDueRun = hasDueRun
        self.hasSweep = hasSweep
        self.nextDue = nextDue
    }
}

extension MaintenanceStore {
    /// Finds out what is pending in a single read, so that an idle queue costs no more than that.
    /// - Parameter heartbeat: as for ``rescue(except:heartbeat:policies:slice:)``.
    package func pending(heartbeat: Int64 = 0) throws -> PendingMaintenance {
        let now = clock.wall()
        return try read { reader in
            var pending = PendingMaintenance()
            try reader.statement(
                """
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
                """
            ).bind(now).eachRow { row in
                pending.nextDue = [row.optionalInt64(0), row.optionalInt64(1)].compactMap(\.self).min()
                pending.hasExpired = row.bool(2)
                pending.hasCascade = row.bool(3)
                pending.hasFanOut = row.bool(4)
                pending.hasDueRun = row.bool(5)
                pending.nextFiring = row.optionalInt64(6)
                pending.nextNotification = row.optionalInt64(7)
            }
            pending.mayRescue = try !workersToRescue(reader, heartbeat: heartbeat).isEmpty
            pending.hasSweep = try RunStore.sweptRun(reader) != nil
            return pending
        }
    }
}
