import JobModel

/// What to look for in memory.
public struct MemoryQuery: Sendable {
    /// By what memories are found.
    public enum Mode: String, Sendable, CaseIterable {
        /// By the nearness of their vectors.
        case vector
        /// By their words (FTS5, bm25).
        case words
        /// By both, their ranks fused: the sum of 1 / (60 + rank) (Cormack, Clarke and Büttcher, SIGIR 2009).
        case hybrid
    }

    /// The namespaces to look in, at least one.
    public var namespaces: [String]
    /// The words to look for; nil where a vector alone is given.
    public var text: String?
    /// Where to look; nil in mode `words`.
    public var vector: [Float]?
    /// How many memories to find, 1 to 10,000; 10 unless told.
    public var limit = 10
    /// By what they are found.
    public var mode = Mode.vector
    /// How near is near.
    public var metric = VectorMetric.cosine
    /// What the metadata must fulfil; nil is nothing.
    public var filter: Expression?
    /// Made at this time at the earliest (wall clock, ms).
    public var createdAfter: Int64?
    /// Made before this time (wall clock, ms).
    public var createdBefore: Int64?
    /// At least this important, 0 to 1.
    public var minImportance: Double?
    /// The least similarity, whatever the weights; in mode `hybrid` it is asked of the nearest vectors, not of what words find. Not for
    /// mode `words`.
    public var minScore: Double?
    /// Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): 1 is relevance alone, 0 is variety alone; nil is off. Not for
    /// mode `words`, and for at most 1,000 memories.
    public var relevance: Double?
    /// How much being new counts, against 1 for nearness: this weight halves with each half-life of age. 0 unless told.
    public var recencyWeight = 0.0
    /// The age at which being new counts half, in ms; 7 days unless told.
    public var recencyHalfLife: Int64 = 7 * 86_400_000
    /// How much importance counts, against 1 for nearness. 0 unless told.
    public var importanceWeight = 0.0
    /// How to go through the vectors.
    public var scan = VectorScan.automatic

    /// Looks in namespaces.
    public init(namespaces: [String], text: String? = nil, vector: [Float]? = nil) {
        self.namespaces = namespaces
        self.text = text
        self.vector = vector
    }
}
