/// What is put before texts that a model embeds.
public struct TextPrefixes: Sendable, Equatable {
    /// Before a text that looks for others, such as `query: `.
    public var query: String
    /// Before a text that is remembered, such as `passage: `.
    public var passage: String

    /// Makes them; none, unless told.
    public init(query: String = "", passage: String = "") {
        self.query = query
        self.passage = passage
    }
}
