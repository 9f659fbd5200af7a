import QueueStore

/// What a ``SemanticCache`` found out about a request: what answers it, and what to remember of it where nothing does.
public struct SemanticLookup: Sendable, Equatable {
    /// The answer to the nearest earlier prompt; nil where none is near enough.
    public var match: SemanticMatch?
    /// What requests that are compared have in common.
    var context: [UInt8]
    /// Where the request's text lies.
    var vector: [Float]
}
