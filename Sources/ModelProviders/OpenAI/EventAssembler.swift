import JobModel

/// Puts an answer together from the events of its stream.
protocol EventAssembler: Sendable {
    /// Takes the next event, and returns the text that it adds to the answer.
    mutating func take(_ event: ServerSentEvent) -> String
    /// The answer's text so far.
    var text: String { get }
    /// Whether any of the answer has come, thoughts and calls of tools included.
    var hasBegun: Bool { get }
    /// The answer, in the form that it has when it is not streamed, or the error that took its place; nil where the stream has
    /// not brought all of it.
    var body: JSONValue? { get }
    /// The tokens counted so far, in the server's form; nil where none were.
    var usage: JSONValue? { get }
}
