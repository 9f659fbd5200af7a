/// A text that is remembered.
public struct Memory: Sendable, Equatable {
    /// Its number, for ever its own.
    public var id: Int64
    /// The namespace's name.
    public var namespace: String
    /// The user's own name for it.
    public var key: String?
    /// The text.
    public var text: String
    /// The user's own data, a JSON object.
    public var metadata: JSONValue?
    /// How much it matters, 0 to 1.
    public var importance: Double
    /// When it was made (wall clock, ms).
    package var createdAt: Int64
    /// When a search last brought it up (wall clock, ms).
    package var recalledAt: Int64?
    /// When it is forgotten (wall clock, ms); nil is never.
    package var expiresAt: Int64?
    /// The change that made it what it is.
    package var version: Int64

    /// Makes one.
    package init(
        id: Int64, namespace: String, key: String?, text: String, metadata: JSONValue?, importance: Double, createdAt: Int64,
        recalledAt: Int64?, expiresAt: Int64?, version: Int64
    ) {
        self.id = id
        self.namespace = namespace
        self.key = key
        self.text = text
        self.metadata = metadata
        self.importance = importance
        self.createdAt = createdAt
        self.recalledAt = recalledAt
        self.expiresAt = expiresAt
        self.version = version
    }
}

/// A memory that was found.
public struct MemoryHit: Sendable, Equatable {
    /// The memory.
    public var memory: Memory
    /// What it was ranked by: larger is better.
    public var score: Double
    /// How near its vector is; nil where it was found by its words alone.
    public var similarity: Double?
    /// Its rank among the nearest vectors, from 1, in mode `hybrid`.
    package var vectorRank: Int?
    /// Its rank among the best words, from 1, in mode `hybrid`.
    package var wordRank: Int?

    /// Makes one.
    package init(memory: Memory, score: Double, similarity: Double? = nil, vectorRank: Int? = nil, wordRank: Int? = nil) {
        self.memory = memory
        self.score = score
        self.similarity = similarity
        self.vectorRank = vectorRank
        self.wordRank = wordRank
    }
}
