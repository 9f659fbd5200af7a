import AgentQueueModel

/// Assembles an answer from the events of its stream.
package protocol EventAssembler: Sendable {
    /// Takes the next event, and returns what it adds to the answer.
    mutating func take(_ event: ServerSentEvent) -> [ReplyEvent]
    /// The answer's text so far.
    var text: String { get }
    /// Whether any of the answer has arrived, including thinking and tool calls.
    var hasBegun: Bool { get }
    /// The answer as if it had not been streamed, or the error in its place; nil if the stream has not brought all of it.
    var body: JSONValue? { get }
    /// The answer as the server would have written it in one piece; nil if it was not to be kept, or is not whole.
    var nativeBody: JSONValue? { get }
    /// Whether the stream has brought an error.
    var hasFailed: Bool { get }
    /// The tokens counted so far, in the server's form; nil if there is no count.
    var usage: JSONValue? { get }
    /// The event that cannot be read, with which a part of the answer may be lost; nil if there is none.
    var unreadable: UnreadableEvent? { get }
}
