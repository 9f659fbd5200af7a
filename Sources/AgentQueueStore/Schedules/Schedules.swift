import AgentQueueModel
import Foundation

extension ScheduleStore {
    /// Adds a schedule and returns it.
    /// - Throws: `StoreError`; `conflict` if another schedule has its name.
    package func add(_ schedule: NewSchedule) async throws -> Schedule {
        let id = try await write { try $0.add(schedule) }
        guard let added = try get(id) else { throw StoreError(.notFound, "schedule \(id) was removed at once") }
        return added
    }

    /// All schedules, by name.
    package func list() throws -> [Schedule] {
        try read { try $0.statement(Self.allSchedules).all(Schedule.init) }
    }

    /// A schedule; nil if it does not exist.
    package func get(_ id: Int64) throws -> Schedule? {
        try read { try $0.statement(Self.scheduleOfID).bind(id).first(Schedule.init) }
    }

    /// The schedule with a name; nil if there is none.
    package func get(named name: String) throws -> Schedule? {
        try read { try $0.statement(Self.scheduleOfName).bind(name).first(Schedule.init) }
    }

    /// Due schedules, the longest overdue first.
    package func due(limit: Int = 100) throws -> [Schedule] {
        let now = clock.wall()
        return try read { try $0.statement(Self.schedulesDue).bind(now).bind(limit).all(Schedule.init) }
    }

    private static let allSchedules = SQLText("SELECT \(Schedule.columns) FROM schedules ORDER BY name")
    private static let scheduleOfID = SQLText("SELECT \(Schedule.columns) FROM schedules WHERE id = ?")
    private static let scheduleOfName = SQLText("SELECT \(Schedule.columns) FROM schedules WHERE name = ?")
    private static let schedulesDue = SQLText(
        """
        SELECT \(Schedule.columns) FROM schedules WHERE next_at IS NOT NULL AND next_at <= ? ORDER BY next_at, id LIMIT ?
        """)

    /// Removes a schedule. The jobs and runs that it added stay. Returns false if it does not exist.
    package func remove(schedule id: Int64) async throws -> Bool {
        try await write { try $0.statement("DELETE FROM schedules WHERE id = ?").bind(id).run() == 1 }
    }

    /// Keeps a schedule from firing. Returns false if it does not exist.
    package func pause(schedule id: Int64) async throws -> Bool {
        try await write { transaction in
            try transaction.statement(
                "UPDATE schedules SET next_at = NULL, paused_at = coalesce(paused_at, ?) WHERE id = ?"
            ).bind(transaction.now).bind(id).run() == 1
        }
    }

    /// Ends a schedule's pause. Missed firings are not made up for. Returns false if it does not exist or is not paused.
    /// - Parameter next: when it is next due (wall clock, ms).
    package func resume(schedule id: Int64, next: Int64?) async throws -> Bool {
        try await write { transaction in
            transaction.ledger.ringWork()
            return try transaction.statement(
                "UPDATE schedules SET next_at = ?, paused_at = NULL, last_error = NULL WHERE id = ? AND paused_at IS NOT NULL"
            ).bind(next).bind(id).run() == 1
        }
    }
}

extension WriteTransaction {
    func add(_ schedule: NewSchedule) throws -> Int64 {
        if let name = schedule.name {
            let isTaken = try statement("SELECT 1 FROM schedules WHERE name = ?").bind(name).first { _ in true } ?? false
            guard !isTaken else { throw StoreError(.conflict, "there is a schedule of this name already; remove it first") }
        }
        // A schedule without a name is named after its id, which is only known once the row is inserted.
        let id =
            try statement(
                """
                INSERT INTO schedules (name, cron, time_zone, missed, most, work, next_at, created_at, follows_machine)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
            ).bind(schedule.name ?? UUID().uuidString).bind(schedule.cron).bind(schedule.timeZone).bind(schedule.missed.rawValue)
            .bind(schedule.most).bind(schedule.work).bind(schedule.nextAt).bind(now).bind(schedule.followsMachine).insertedID() ?? 0
        if schedule.name == nil {
            try statement("UPDATE schedules SET name = ? WHERE id = ?").bind("schedule-\(id)").bind(id).run()
        }
        // Wakes workers, which wait until the next due time.
        ledger.ringWork()
        return id
    }
}

extension Schedule {
    fileprivate static let columns = """
        id, name, cron, time_zone, missed, most, work, next_at, fired_at, firings, last_job, last_run, last_error, created_at, paused_at,
        follows_machine
        """

    fileprivate init(_ row: Statement) {
        self.init(
            id: row.int64(0), name: row.text(1), cron: row.text(2), timeZone: row.text(3),
            missed: MissedFirings(rawValue: row.text(4)) ?? .skip, most: row.int(5), work: row.text(6), nextAt: row.optionalInt64(7),
            createdAt: row.int64(13))
        firedAt = row.optionalInt64(8)
        firings = row.int64(9)
        lastJob = row.optionalInt64(10)
        lastRun = row.optionalInt64(11)
        lastError = row.optionalText(12)
        pausedAt = row.optionalInt64(14)
        followsMachine = row.bool(15)
    }
}

extension ScheduleStore {
    /// Fires a schedule: adds its job or run and sets the next due time in one transaction, in which only one process succeeds.
    /// - Parameters:
    ///   - schedule: as it was read, due.
    ///   - next: when it is due again.
    /// - Returns: whether this call fired it.
    /// - Throws: `StoreError`, and the schedule stays due; `conflict` if its job or run cannot be added.
    package func fire(_ schedule: Schedule, _ firing: Firing, next: Int64?) async throws -> Bool {
        try await write { try $0.fire(schedule, firing, next: next) }
    }

    /// Fires a schedule at once, also a paused one. Its next due time stays.
    /// - Returns: what was added; nil if there is no such schedule.
    /// - Throws: `StoreError`; `conflict` if its job or run cannot be added.
    package func fireNow(_ id: Int64, _ firing: Firing) async throws -> ScheduleFiring? {
        try await write { transaction in
            let isThere =
                try transaction.statement("UPDATE schedules SET fired_at = ?, firings = firings + 1, last_error = NULL WHERE id = ?")
                .bind(transaction.now).bind(id).run() == 1
            guard isThere else { return nil }
            return try transaction.add(firing, of: id, isByHand: true)
        }
    }

    /// The latest firings of a schedule, newest first. Those of workers before schema 8 are not on record.
    package func firings(of schedule: Int64, limit: Int) throws -> [ScheduleFiring] {
        try read { reader in
            try reader.statement(
                """
                SELECT fired_at, by_hand, job_id, run_id, (SELECT state FROM jobs WHERE id = job_id),
                (SELECT state FROM runs WHERE id = schedule_firings.run_id)
                FROM schedule_firings WHERE schedule_id = ? ORDER BY number DESC LIMIT ?
                """
            ).bind(schedule).bind(limit).all { row in
                ScheduleFiring(
                    firedAt: row.int64(0), isByHand: row.int(1) != 0, job: row.optionalInt64(2), run: row.optionalInt64(3),
                    jobState: row.optionalText(4).flatMap(JobState.init), runState: row.optionalText(5).flatMap(RunState.init))
            }
        }
    }

    /// Sets when a schedule that is not due fires next, and the zone that this was reckoned in.
    /// - Returns: whether this call did it: it may have fired or been paused since it was read.
    package func realign(_ schedule: Schedule, next: Int64, timeZone: String) async throws -> Bool {
        try await write { transaction in
            transaction.ledger.ringWork()
            return try transaction.statement("UPDATE schedules SET next_at = ?, time_zone = ? WHERE id = ? AND next_at = ?")
                .bind(next).bind(timeZone).bind(schedule.id).bind(schedule.nextAt).run() == 1
        }
    }

    /// Moves a due schedule on without a firing.
    /// - Parameter error: why it could not fire, as a sentence; nil if the firing was missed and is not made up for.
    /// - Returns: whether this call did it.
    package func skip(_ schedule: Schedule, next: Int64?, error: String?) async throws -> Bool {
        try await write { transaction in
            try transaction.statement(
                "UPDATE schedules SET next_at = ?, last_error = coalesce(?, last_error) WHERE id = ? AND next_at = ?"
            ).bind(next).bind(error).bind(schedule.id).bind(schedule.nextAt).run() == 1
        }
    }
}

extension WriteTransaction {
    func fire(_ schedule: Schedule, _ firing: Firing, next: Int64?) throws -> Bool {
        let isOurs =
            try statement(
                """
                UPDATE schedules SET next_at = ?, fired_at = ?, firings = firings + 1, last_error = NULL WHERE id = ? AND next_at = ?
                """
            ).bind(next).bind(now).bind(schedule.id).bind(schedule.nextAt).run() == 1
        guard isOurs else { return false }
        try add(firing, of: schedule.id, isByHand: false)
        return true
    }

    /// The number of firings of a schedule that stay on record.
    private static let firingsKept = 100

    /// Adds what a schedule fires, and records it.
    @discardableResult
    fileprivate func add(_ firing: Firing, of schedule: Int64, isByHand: Bool) throws -> ScheduleFiring {
        var fired = ScheduleFiring(firedAt: now, isByHand: isByHand, job: nil, run: nil)
        switch firing {
        case .job(let job):
            let added = try enqueue(job)
            (fired.job, fired.jobState) = (added.id, added.state)
            try statement("UPDATE schedules SET last_job = ? WHERE id = ?").bind(added.id).bind(schedule).run()
        case .run(let run):
            let started = try start(run).id
            (fired.run, fired.runState) = (started, .running)
            try statement("UPDATE schedules SET last_run = ? WHERE id = ?").bind(started).bind(schedule).run()
        }
        try statement(
            """
            INSERT INTO schedule_firings (schedule_id, number, fired_at, by_hand, job_id, run_id)
            VALUES (?, (SELECT firings FROM schedules WHERE id = ?), ?, ?, ?, ?)
            """
        ).bind(schedule).bind(schedule).bind(now).bind(isByHand).bind(fired.job).bind(fired.run).run()
        try statement("DELETE FROM schedule_firings WHERE schedule_id = ? AND number <= (SELECT firings - ? FROM schedules WHERE id = ?)")
            .bind(schedule).bind(Self.firingsKept).bind(schedule).run()
        return fired
    }
}
