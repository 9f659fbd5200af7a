/// One event of a `text/event-stream`.
struct ServerSentEvent: Sendable, Equatable {
    /// Its `event` field; nil where it has none.
    var name: String?
    /// Its `data` lines, with a line feed between each two.
    var data: String
}
