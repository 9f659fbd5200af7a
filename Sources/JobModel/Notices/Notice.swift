/// An end that somebody is to be told of, or was.
public struct Notice: Sendable, Equatable {
    /// How the telling stands.
    public enum State: String, Sendable, CaseIterable {
        /// It has yet to be told.
        case waiting
        /// It was.
        case delivered
        /// It was given up.
        case failed
    }

    /// Its id.
    public var id: Int64
    /// What ended.
    public var kind: NoticeKind
    /// The id of what ended.
    public var subject: Int64
    /// The notification of the configuration that tells it.
    public var notification: String
    /// What is told, JSON: written when it ended, and the same at each attempt.
    public var body: String
    /// How it stands.
    public var state: State
    /// How often telling was begun.
    public var attempts: Int
    /// When it is next tried (wall clock, ms); while a process tries, when another may.
    public var nextAt: Int64
    /// When what it tells of ended (wall clock, ms).
    public var createdAt: Int64
    /// When it was told, or given up (wall clock, ms).
    public var endedAt: Int64?
    /// Why the last attempt failed, in a sentence.
    public var error: String?

    /// Makes one that waits.
    public init(
        id: Int64, kind: NoticeKind, subject: Int64, notification: String, body: String, attempts: Int = 0, nextAt: Int64, createdAt: Int64
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
    public var messageID: String { "notice-\(id)-\(createdAt)" }
}
