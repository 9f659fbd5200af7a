/// An end that somebody is to be told of, or was.
package struct JobNotification: Sendable, Equatable {
    /// How the telling stands.
    package enum State: String, Sendable, CaseIterable {
        /// It has yet to be told.
        case waiting
        /// It was.
        case delivered
        /// It was given up.
        case failed
    }

    /// Its id.
    package var id: Int64
    /// What ended.
    package var kind: NotificationKind
    /// The id of what ended.
    package var subject: Int64
    /// The notification of the configuration that tells it.
    package var notification: String
    /// What is told, JSON: written when it ended, and the same at each attempt.
    package var body: String
    /// How it stands.
    package var state: State
    /// How often telling was begun.
    package var attempts: Int
    /// When it is next tried (wall clock, ms); while a process tries, when another may.
    package var nextAt: Int64
    /// When what it tells of ended (wall clock, ms).
    package var createdAt: Int64
    /// When it was told, or given up (wall clock, ms).
    package var endedAt: Int64?
    /// Why the last attempt failed, in a sentence.
    package var error: String?

    /// Makes one that waits.
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

    /// The same at each attempt, and of no other notice: what a receiver knows it again by.
    package var messageID: String { "notice-\(id)-\(createdAt)" }
}

/// What can end that somebody is told of.
package enum NotificationKind: String, Sendable, CaseIterable {
    /// One job.
    case job
    /// All jobs of a batch.
    case batch
    /// A run of a pipeline.
    case run
}

/// What came of an attempt to tell.
package enum NotificationOutcome: Sendable, Equatable {
    /// It was told.
    case delivered
    /// It was not, and may be another time.
    /// - Parameter wait: how long the receiver asks to be left alone, in ms; nil where it does not say.
    case failed(String, wait: Int64? = nil)
    /// It was not, and the receiver wants to hear no more of it.
    case refused(String)
    /// The attempt was broken off, and does not count: this process stops.
    case broken
}

/// Tells ends, by the notifications of a configuration.
package protocol NotificationSender: Sendable {
    /// How long one attempt of a notification may take, in ms, and how many there are; nil for one that is not configured here.
    func bounds(of notification: String) -> (timeout: Int64, maxAttempts: Int)?

    /// Makes one attempt, within its timeout. Ends soon, as ``NotificationOutcome/broken``, where its task is cancelled.
    func send(_ notice: JobNotification) async -> NotificationOutcome
}
