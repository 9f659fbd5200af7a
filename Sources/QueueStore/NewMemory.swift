import JobModel

/// A text to remember.
public struct NewMemory: Sendable, Equatable {
    /// The user's own name for it in its namespace, 1 to 512 characters: the next memory of this key takes its place. Nil has none; then a
    /// memory of the same text and metadata is found and kept instead.
    public var key: String?
    /// The text, at most 1 MiB; may be empty where a vector is given.
    public var text: String
    /// The user's own data, a JSON object.
    public var metadata: JSONValue?
    /// How much it matters, 0 to 1; 0.5 unless told.
    public var importance: Double
    /// When it was made (wall clock, ms); nil is now.
    public var createdAt: Int64?
    /// When it is forgotten (wall clock, ms); nil is never.
    public var expiresAt: Int64?
    /// When a search last brought it up, where it was remembered elsewhere before (wall clock, ms). Counts for a new memory alone.
    public var recalledAt: Int64?
    /// Where it lies; nil where it is found by its words alone.
    public var vector: MemoryVector?

    /// Makes one.
    public init(
        _ text: String, key: String? = nil, metadata: JSONValue? = nil, importance: Double = 0.5, createdAt: Int64? = nil,
        expiresAt: Int64? = nil, vector: MemoryVector? = nil
    ) {
        self.text = text
        self.key = key
        self.metadata = metadata
        self.importance = importance
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.vector = vector
    }
}
