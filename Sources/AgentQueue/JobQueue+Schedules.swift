import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

extension JobQueue {
    /// Adds a job again and again, when a cron expression says; any worker of the database does it.
    /// - Parameters:
    ///   - draft: the job, without a time, a unique key and jobs to wait for.
    ///   - cron: minute, hour, day of month, month and day of week, such as `0 7 * * mon-fri`, or `@daily` and the like.
    ///   - name: what it is called; nil is `schedule-` and its number.
    ///   - timeZone: whose clocks that goes by, such as `Europe/Lisbon`; nil is the machine's.
    ///   - missed: what becomes of firings that no worker was there for.
    /// - Throws: `InputError`, `StoreError` where the name is taken.
    @discardableResult
    public func schedule(
        _ draft: JobDraft, _ cron: String, name: String? = nil, timeZone: String? = nil, missed: MissedFirings = .skip
    ) async throws -> Schedule {
        try await add(.job(draft), cron, name, timeZone, missed)
    }

    /// Starts a run of a pipeline or mode again and again, when a cron expression says.
    /// - Parameters:
    ///   - missed: what becomes of firings that no worker was there for.
    ///   - name: what it is called; nil is `schedule-` and its number.
    ///   - timeZone: whose clocks; nil is the machine's.
    ///   - options: what holds for all jobs of the run.
    ///   - pipeline: its name.
    ///   - inputs: an object, by the names of the pipeline's inputs.
    ///   - cron: as in ``schedule(_:_:name:timeZone:missed:)``, as what follows it.
    /// - Throws: `InputError`, `PipelineError`, `StoreError` where the name is taken.
    @discardableResult
    public func schedule(
        run pipeline: String, inputs: JSONValue = .object([]), options: RunOptions = RunOptions(), _ cron: String, name: String? = nil,
        timeZone: String? = nil, missed: MissedFirings = .skip
    ) async throws -> Schedule {
        try await add(.run(ScheduledRun(name: pipeline, inputs: inputs, options: options)), cron, name, timeZone, missed)
    }

    /// The schedules, by their ids.
    /// - Throws: `StoreError`.
    public func schedules() throws -> [Schedule] { try store.schedules.list() }

    /// Pauses a schedule. Returns false where there is none of that id.
    /// - Throws: `StoreError`.
    @discardableResult
    public func pause(schedule id: Int64) async throws -> Bool { try await store.schedules.pause(schedule: id) }

    /// Ends a schedule's pause: it fires when it is next due. Returns false where there is none of that id.
    /// - Throws: `StoreError`.
    @discardableResult
    public func resume(schedule id: Int64) async throws -> Bool {
        guard let schedule = try store.schedules.get(id), let cron = try? CronExpression(schedule.cron),
            let zone = SystemZone(schedule.timeZone)
        else { return false }
        return try await store.schedules.resume(schedule: id, next: cron.next(after: store.clock.wall(), in: zone))
    }

    /// Removes a schedule. What it has added stays. Returns false where there is none of that id.
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
        guard let zone = timeZone.map({ SystemZone($0) }) ?? SystemZone.machine else {
            throw InputError("unknown time zone \(InvalidText.quoted(timeZone ?? "")) (write a name such as Europe/Lisbon)", kind: .usage)
        }
        let now = store.clock.wall()
        guard let next = cron.next(after: now, in: zone) else {
            throw InputError("no time fits \(InvalidText.quoted(text)) within five years", kind: .usage)
        }
        // What could not be made now could not be made then.
        _ = try ScheduleMaker(settings, own: own).make(work, key: "schedule", now: now)
        return try await store.schedules.add(
            NewSchedule(
                name: name, cron: cron.description, timeZone: zone.name, missed: missed, most: 100, work: work.text, nextAt: next))
    }
}
