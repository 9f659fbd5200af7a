/// Tells ends, by the notifications of a configuration.
public protocol NoticeSender: Sendable {
    /// How long one attempt of a notification may take, in ms, and how many there are; nil for one that is not configured here.
    func bounds(of notification: String) -> (timeout: Int64, maxAttempts: Int)?

    /// Makes one attempt, within its timeout. Ends soon, as ``NoticeOutcome/broken``, where its task is cancelled.
    func send(_ notice: Notice) async -> NoticeOutcome
}
