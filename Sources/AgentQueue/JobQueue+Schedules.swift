import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import FoundationEssentials

extension JobQueue {
    /// Adds a job at the times of a cron expression. Any worker of the database adds it when it is due.
    /// - Parameters:
    ///   - draft: the job, without a start time, a unique key or dependencies.
    ///   - cron: minute, hour, day of month, month and day of week, such as `0 7 * * mon-fri`, or a name such as `@daily`.
    ///   - name: the name of the schedule; nil for `schedule-` and its number.
    ///   - timeZone: the time zone of the expression, such as `Europe/Lisbon`; nil for the machine's, also if that changes later.
    ///   - missed: what to do about firings that were due while no worker was running.
    /// - Throws: `InputError`, `StoreError` if the name is taken.
    @discardableResult
    public func schedule(
        _ draft: JobDraft, _ cron: String, name: String? = nil, timeZone: String? = nil, missed: MissedFirings = .skip
    ) async throws -> Schedule {
        try await add(.job(draft), cron, name, timeZone, missed)
    }

    /// Starts a run of a pipeline or mode at the times of a cron expression.
    /// - Parameters:
    ///   - missed: what to do about firings that were due while no worker was running.
    ///   - name: the name of the schedule; nil for `schedule-` and its number.
    ///   - timeZone: the time zone of the expression; nil for the machine's.
    ///   - options: options for all jobs of the run.
    ///   - pipeline: the name of the pipeline or mode.
    ///   - inputs: an object with the values of the pipeline's inputs.
    ///   - cron: as in ``schedule(_:_:name:timeZone:missed:)``.
    /// - Throws: `InputError`, `PipelineError`, `StoreError` if the name is taken.
    @discardableResult
    public func schedule(
        run pipeline: String, inputs: JSONValue = .object([]), options: RunOptions = RunOptions(), _ cron: String, name: String? = nil,
        timeZone: String? = nil, missed: MissedFirings = .skip
    ) async throws -> Schedule {
        try await add(.run(ScheduledRun(name: pipeline, inputs: inputs, options: options)), cron, name, timeZone, missed)
    }

    /// Returns the schedules, ordered by id.
    /// - Throws: `StoreError`.
    public func schedules() throws -> [Schedule] { try store.schedules.list() }

    /// Pauses a schedule. Returns false if there is none with that id.
    /// - Throws: `StoreError`.
    @discardableResult
    public func pause(schedule id: Int64) async throws -> Bool { try await store.schedules.pause(schedule: id) }

    /// Resumes a paused schedule; it fires when it is next due. Returns false if there is none with that id.
    /// - Throws: `StoreError`.
    @discardableResult
    public func resume(schedule id: Int64) async throws -> Bool {
        guard let schedule = try store.schedules.get(id), let cron = try? CronExpression(schedule.cron),
            let zone = SystemZone(schedule.timeZone)
        else { return false }
        return try await store.schedules.resume(schedule: id, next: cron.next(after: store.clock.wall(), in: zone))
    }

    /// Removes a schedule. Jobs and runs that it added stay. Returns false if there is none with that id.
    /// - Throws: `StoreError`.
    @discardableResult
    public func remove(schedule id: Int64) async throws -> Bool { try await store.schedules.remove(schedule: id) }

    private func add(
        _ work: ScheduledWork, _ text: String, _ name: String?, _ timeZone: String?, _ missed: MissedFirings
    ) async throws -> Schedule {
        let cron: CronExpression
        do {
            cron = try CronExpression(text)
        } catch {
            throw InputError(error.description, kind: .usage)
        }
        let zone = try Self.zone(timeZone)
        let now = store.clock.wall()
        guard let next = cron.next(after: now, in: zone) else {
            throw InputError("no time fits \(InvalidText.quoted(text)) within five years", kind: .usage)
        }
        // Work that cannot be made now could not be made when the schedule fires either.
        _ = try ScheduleMaker(settings, own: own).make(work, key: "schedule", now: now)
        var schedule = NewSchedule(
            name: name, cron: cron.description, timeZone: zone.name, missed: missed, most: 100, work: work.text, nextAt: next)
        schedule.followsMachine = timeZone == nil
        return try await store.schedules.add(schedule)
    }

    private static func zone(_ name: String?) throws -> SystemZone {
        guard let name else {
            do {
                return try SystemZone.current(.init(variable: ProcessInfo.processInfo.environment["TZ"]))
            } catch {
                throw InputError(error.message, kind: .usage)
            }
        }
        guard let zone = SystemZone(name) else {
            throw InputError("unknown time zone \(InvalidText.quoted(name)) (write a name such as Europe/Lisbon)", kind: .usage)
        }
        return zone
    }
}
