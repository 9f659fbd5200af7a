import QueueStore

extension MemoryQuery {
    /// The most memories that a query finds.
    public static let maxLimit = 10_000
    /// The most memories that a query finds whose answers are to differ from each other (`relevance`).
    public static let maxDiverse = 1_000

    /// Checks what can be checked without the database.
    /// - Throws: `MemoryError`.
    public func check() throws(MemoryError) {
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
