/// A remembered text.
public struct Memory: Sendable, Equatable {
    /// The memory's id. Ids are never reused.
    public var id: Int64
    /// The name of the namespace it belongs to.
    public var namespace: String
    /// The user's own name for it.
    public var key: String?
    /// The text.
    public var text: String
    /// The user's own data, a JSON object.
    public var metadata: JSONValue?
    /// Its importance, 0 to 1.
    public var importance: Double
    /// When it was created (wall clock, ms).
    package var createdAt: Int64
    /// When a search last returned it (wall clock, ms).
    package var recalledAt: Int64?
    /// When it expires (wall clock, ms); nil means never.
    package var expiresAt: Int64?
    /// The number of the change that last wrote it.
    package var version: Int64

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

/// A search result.
public struct MemoryHit: Sendable, Equatable {
    /// The memory that was found.
    public var memory: Memory
    /// The score it was ranked by; higher is better.
    public var score: Double
    /// The similarity of its vector to the query; nil if only its words matched.
    public var similarity: Double?
    /// Its rank among the nearest vectors, from 1, in mode `hybrid`.
    package var vectorRank: Int?
    /// Its rank among the best word matches, from 1, in mode `hybrid`.
    package var wordRank: Int?

    package init(memory: Memory, score: Double, similarity: Double? = nil, vectorRank: Int? = nil, wordRank: Int? = nil) {
        self.memory = memory
        self.score = score
        self.similarity = similarity
        self.vectorRank = vectorRank
        self.wordRank = wordRank
    }
}
