import AgentQueueModel
import AgentQueueStore

/// Notifications as JSON.
package enum NotificationJSON {
    package static func notification(_ notice: JobNotification) -> JSONValue {
        .object([
            .init("id", .integer(notice.id)), .init("notification", .string(notice.notification)),
            .init("state", .string(notice.state.rawValue)), .init("attempts", .integer(Int64(notice.attempts))),
            .init("next_at", notice.state == .waiting ? JobJSON.time(notice.nextAt) : .null),
            .init("created_at", JobJSON.time(notice.createdAt)), .init("ended_at", JobJSON.time(notice.endedAt)),
            .init("error", JobJSON.string(notice.error)), .init("message_id", .string(notice.messageID)),
            .init("body", (try? JSONValue.parse(notice.body)) ?? .string(notice.body)),
        ])
    }
}
