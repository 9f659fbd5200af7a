/// A job, as a process takes it.
struct ClaudeCodeJob: Sendable {
    /// Tells it from every other job of the provider.
    let id: UInt64
    /// The line that asks.
    let line: [UInt8]
    /// How long it may take, in ms.
    let timeout: Int64
    /// Whether the answer has to follow a schema.
    let hasSchema: Bool
    /// Takes keys and the prompt out of messages.
    let redaction: Redaction
}
