/// A notification that something has ended, and the state of its delivery.
package struct JobNotification: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        /// Not delivered yet.
        case waiting
        /// Delivered.
        case delivered
        /// Given up.
        case failed
    }

    package var id: Int64
    /// The kind of thing that ended.
    package var kind: NotificationKind
    /// The id of what ended.
    package var subject: Int64
    /// The configured notification that delivers it.
    package var notification: String
    /// The message as JSON, written when the subject ended; the same for every attempt.
    package var body: String
    package var state: State
    /// The number of delivery attempts started.
    package var attempts: Int
    /// When it is next attempted (wall clock, ms). During an attempt, when another process may make one.
    package var nextAt: Int64
    /// When its subject ended (wall clock, ms).
    package var createdAt: Int64
    /// When it was delivered or given up (wall clock, ms).
    package var endedAt: Int64?
    /// Why the last attempt failed, in a sentence.
    package var error: String?

    /// A notification that waits for delivery.
    package init(
        id: Int64, kind: NotificationKind, subject: Int64, notification: String, body: String, attempts: Int = 0, nextAt: Int64,
        createdAt: Int64
    ) {
        self.id = id
        self.kind = kind
        self.subject = subject
        self.notification = notification
        self.body = body
        self.attempts = attempts
        self.nextAt = nextAt
        self.createdAt = createdAt
        state = .waiting
    }

    /// Identifies this notification to its receiver: the same for every attempt, and unique among notifications.
    package var messageID: String { "notice-\(id)-\(createdAt)" }
}

/// The things whose end can send a notification.
package enum NotificationKind: String, Sendable, CaseIterable {
    case job
    /// All jobs of a batch.
    case batch
    case run
}

/// The outcome of a delivery attempt.
package enum NotificationOutcome: Sendable, Equatable {
    case delivered
    /// It was not delivered, and another attempt may succeed.
    /// - Parameter wait: how long the receiver asks to wait, in ms; nil if it does not say.
    case failed(String, wait: Int64? = nil)
    /// Nobody answered in time, or at all: it was not delivered, and others to this target would not be either.
    case unanswered(String)
    /// It was not delivered, and the receiver wants no further attempt.
    case refused(String)
    /// The attempt was interrupted because this process is stopping, and does not count.
    case broken
}

/// Delivers notifications as configured.
package protocol NotificationSender: Sendable {
    /// How long one attempt may take, in ms, and how many attempts there are; nil if the notification is not configured here.
    func bounds(of notification: String) -> (timeout: Int64, maxAttempts: Int)?

    /// Makes one attempt within its timeout. When its task is cancelled, it ends soon with ``NotificationOutcome/broken``.
    func send(_ notice: JobNotification) async -> NotificationOutcome
}
