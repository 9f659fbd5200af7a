import QueueStore

/// A memory that was found.
public struct MemoryHit: Sendable, Equatable {
    /// The memory.
    public var memory: Memory
    /// What it was ranked by: larger is better.
    public var score: Double
    /// How near its vector is; nil where it was found by its words alone.
    public var similarity: Double?
    /// Its rank among the nearest vectors, from 1, in mode `hybrid`.
    public var vectorRank: Int?
    /// Its rank among the best words, from 1, in mode `hybrid`.
    public var wordRank: Int?

    /// Makes one.
    public init(memory: Memory, score: Double, similarity: Double? = nil, vectorRank: Int? = nil, wordRank: Int? = nil) {
        self.memory = memory
        self.score = score
        self.similarity = similarity
        self.vectorRank = vectorRank
        self.wordRank = wordRank
    }
}
