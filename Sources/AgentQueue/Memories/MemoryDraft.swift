import JobModel

/// A text to remember, as a user gives it: not checked yet.
public struct MemoryDraft: Sendable, Equatable {
    /// The text.
    public var text: String
    /// The user's own name for it: the next of this key takes its place.
    public var key: String?
    /// The user's own data, a JSON object.
    public var metadata: JSONValue?
    /// How much it matters, 0 to 1; 0.5 unless told.
    public var importance = 0.5
    /// How long it is kept, in ms; nil is the configuration's.
    public var timeToLive: Int64?
    /// Where it lies; nil lets the embedding model say.
    public var vector: [Float]?

    /// Makes one.
    public init(_ text: String) { self.text = text }
}
