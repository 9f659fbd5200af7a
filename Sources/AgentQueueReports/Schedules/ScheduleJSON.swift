import AgentQueueModel
import AgentQueueStore

/// Schedules as JSON.
package enum ScheduleJSON {
    package static func schedule(_ schedule: Schedule) -> JSONValue { .object(members(schedule)) }

    /// A schedule with its next times and its latest firings.
    package static func detail(_ schedule: Schedule, next: [Int64], firings: [ScheduleFiring]) -> JSONValue {
        .object(
            members(schedule) + [
                .init("next_times", .array(next.map(JobJSON.time))), .init("latest_firings", .array(firings.map(firing))),
            ])
    }

    /// A firing: `state` is that of the job or run, null once it has been removed.
    package static func firing(_ firing: ScheduleFiring) -> JSONValue {
        .object([
            .init("fired_at", JobJSON.time(firing.firedAt)), .init("by_hand", .bool(firing.isByHand)),
            .init("job", firing.job.map(JSONValue.integer) ?? .null), .init("run", firing.run.map(JSONValue.integer) ?? .null),
            .init("state", JobJSON.string(firing.jobState?.rawValue ?? firing.runState?.rawValue)),
        ])
    }

    /// The zone of a schedule as people read it: `Europe/Lisbon`, `Europe/Lisbon (machine)`.
    package static func zone(of schedule: Schedule) -> String {
        schedule.followsMachine ? "\(schedule.timeZone) (machine)" : schedule.timeZone
    }

    private static func members(_ schedule: Schedule) -> [JSONValue.Member] {
        [
            .init("id", .integer(schedule.id)), .init("name", .string(schedule.name)), .init("cron", .string(schedule.cron)),
            .init("time_zone", .string(schedule.timeZone)),
            .init("follows_machine_zone", .bool(schedule.followsMachine)), .init("missed", .string(schedule.missed.rawValue)),
            .init("most", .integer(Int64(schedule.most))),
            .init("work", (try? JSONValue.parse(schedule.work)) ?? .string(schedule.work)),
            .init("next_at", JobJSON.time(schedule.nextAt)), .init("fired_at", JobJSON.time(schedule.firedAt)),
            .init("firings", .integer(schedule.firings)), .init("last_job", schedule.lastJob.map(JSONValue.integer) ?? .null),
            .init("last_run", schedule.lastRun.map(JSONValue.integer) ?? .null), .init("last_error", JobJSON.string(schedule.lastError)),
            .init("created_at", JobJSON.time(schedule.createdAt)), .init("paused_at", JobJSON.time(schedule.pausedAt)),
        ]
    }
}
