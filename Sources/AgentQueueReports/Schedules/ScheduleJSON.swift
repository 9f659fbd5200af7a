import AgentQueueModel
import AgentQueueStore

/// Schedules as JSON.
package enum ScheduleJSON {
    package static func schedule(_ schedule: Schedule) -> JSONValue {
        .object([
            .init("id", .integer(schedule.id)), .init("name", .string(schedule.name)), .init("cron", .string(schedule.cron)),
            .init("time_zone", .string(schedule.timeZone)), .init("missed", .string(schedule.missed.rawValue)),
            .init("most", .integer(Int64(schedule.most))),
            .init("work", (try? JSONValue.parse(schedule.work)) ?? .string(schedule.work)),
            .init("next_at", JobJSON.time(schedule.nextAt)), .init("fired_at", JobJSON.time(schedule.firedAt)),
            .init("firings", .integer(schedule.firings)), .init("last_job", schedule.lastJob.map(JSONValue.integer) ?? .null),
            .init("last_run", schedule.lastRun.map(JSONValue.integer) ?? .null), .init("last_error", JobJSON.string(schedule.lastError)),
            .init("created_at", JobJSON.time(schedule.createdAt)), .init("paused_at", JobJSON.time(schedule.pausedAt)),
        ])
    }
}
