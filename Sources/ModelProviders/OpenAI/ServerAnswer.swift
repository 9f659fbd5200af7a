import JobModel

/// A good answer: its JSON, whether it came whole or was put together from a stream.
struct ServerAnswer: Sendable {
    /// The body.
    var body: JSONValue
    /// The server's id for the call.
    var requestID: String?
    /// What the headers say about rate limits.
    var limits: ObservedLimits?
}
