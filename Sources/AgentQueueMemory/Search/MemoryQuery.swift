import AgentQueueModel
import AgentQueueStore

/// What to look for in memory.
package struct MemoryQuery: Sendable {
    /// By what memories are found.
    package enum Mode: String, Sendable, CaseIterable {
        /// By the nearness of their vectors.
        case vector
        /// By their words (FTS5, bm25).
        case words
        /// By both, their ranks fused: the sum of 1 / (60 + rank) (Cormack, Clarke and Büttcher, SIGIR 2009).
        case hybrid
    }

    /// The namespaces to look in, at least one.
    package var namespaces: [String]
    /// The words to look for; nil where a vector alone is given.
    package var text: String?
    /// Where to look; nil in mode `words`.
    package var vector: [Float]?
    /// How many memories to find, 1 to 10,000; 10 unless told.
    package var limit = 10
    /// By what they are found.
    package var mode = Mode.vector
    /// How near is near.
    package var metric = VectorMetric.cosine
    /// What the metadata must fulfil; nil is nothing.
    package var filter: Expression?
    /// Made at this time at the earliest (wall clock, ms).
    package var createdAfter: Int64?
    /// Made before this time (wall clock, ms).
    package var createdBefore: Int64?
    /// At least this important, 0 to 1.
    package var minImportance: Double?
    /// The least similarity, whatever the weights; in mode `hybrid` it is asked of the nearest vectors, not of what words find. Not for
    /// mode `words`.
    package var minScore: Double?
    /// Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): 1 is relevance alone, 0 is variety alone; nil is off. Not for
    /// mode `words`, and for at most 1,000 memories.
    package var relevance: Double?
    /// How much being new counts, against 1 for nearness: this weight halves with each half-life of age. 0 unless told.
    package var recencyWeight = 0.0
    /// The age at which being new counts half, in ms; 7 days unless told.
    package var recencyHalfLife: Int64 = 7 * 86_400_000
    /// How much importance counts, against 1 for nearness. 0 unless told.
    package var importanceWeight = 0.0
    /// How to go through the vectors.
    package var scan = VectorScan.automatic

    /// Looks in namespaces.
    package init(namespaces: [String], text: String? = nil, vector: [Float]? = nil) {
        self.namespaces = namespaces
        self.text = text
        self.vector = vector
    }
}

extension MemoryQuery {
    /// The most memories that a query finds.
    package static let maxLimit = 10_000
    /// The most memories that a query finds whose answers are to differ from each other (`relevance`).
    package static let maxDiverse = 1_000

    /// Checks what can be checked without the database.
    /// - Throws: `MemoryError`.
    package func check() throws(MemoryError) {
        guard !namespaces.isEmpty else { throw MemoryError("name a namespace to search") }
        guard (1...Self.maxLimit).contains(limit) else {
            throw MemoryError("a search finds 1 to \(Self.maxLimit) memories, not \(limit)")
        }
        try checkWeights()
        switch mode {
        case .vector:
            guard vector != nil else { throw MemoryError("a search by nearness needs a vector") }
        case .hybrid, .words:
            guard text != nil else { throw MemoryError("a search by words needs a text") }
        }
        guard mode == .words else { return }
        guard minScore == nil else { throw MemoryError("a least nearness asks for vectors: words have no such score") }
        guard relevance == nil else { throw MemoryError("diversity asks for vectors: it does not go with words alone") }
        guard recencyWeight == 0, importanceWeight == 0 else {
            throw MemoryError("weights count against nearness: they do not go with words alone")
        }
    }

    private func checkWeights() throws(MemoryError) {
        for (name, weight) in [("recency", recencyWeight), ("importance", importanceWeight)] {
            guard weight >= 0, weight <= 1_000 else { throw MemoryError("the weight of \(name) is 0 to 1000, not \(weight)") }
        }
        guard recencyHalfLife > 0 else { throw MemoryError("a half-life is more than nothing") }
        guard (0...1).contains(minImportance ?? 0) else { throw MemoryError("an importance is 0 to 1, not \(minImportance ?? 0)") }
        guard minScore?.isFinite != false else { throw MemoryError("a score is a finite number") }
        guard let relevance else { return }
        guard (0...1).contains(relevance) else { throw MemoryError("the share of relevance is 0 to 1, not \(relevance)") }
        guard limit <= Self.maxDiverse else {
            throw MemoryError("diversity is worked out for at most \(Self.maxDiverse) memories, not \(limit)")
        }
    }
}

/// What a query found.
package struct MemoryAnswer: Sendable, Equatable {
    /// The memories, the best first.
    package var hits: [MemoryHit]
    /// How the search went, namespace by namespace.
    package var reports: [NamespaceReport]

    /// Makes one.
    package init(hits: [MemoryHit], reports: [NamespaceReport]) {
        self.hits = hits
        self.reports = reports
    }
}

/// How a search went in one namespace.
package struct NamespaceReport: Sendable, Equatable {
    /// The namespace.
    package var namespace: String
    /// How the vectors were gone through; nil where none were.
    package var scan: ScanReport?
    /// How many memories the filter left; nil without a filter.
    package var passed: Int?
    /// How many entries the index took in, and how many it let go, to be as new as the database.
    package var followed = (new: 0, gone: 0)
    /// Whether the index was read from the database anew.
    package var isRebuilt = false
    /// How long each part took, in µs.
    package var microseconds = (index: 0, filter: 0, scan: 0, words: 0)

    /// Makes one.
    package init(namespace: String) { self.namespace = namespace }

    /// Whether all of both is the same.
    package static func == (left: Self, right: Self) -> Bool {
        left.namespace == right.namespace && left.scan == right.scan && left.passed == right.passed && left.followed == right.followed
            && left.isRebuilt == right.isRebuilt && left.microseconds == right.microseconds
    }
}

/// Why memories could not be searched: one sentence, with what to do about it.
package struct MemoryError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence.
    package let description: String

    /// Makes one.
    package init(_ description: String) { self.description = description }
}
