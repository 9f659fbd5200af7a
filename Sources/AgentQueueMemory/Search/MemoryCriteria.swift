import AgentQueueModel
import AgentQueueStore
import Glibc

/// The conditions of a query other than similarity.
struct MemoryCriteria: Hashable {
    /// A condition on the metadata; nil for none.
    var filter: Expression?
    /// Inclusive (wall clock, ms).
    var createdAfter: Int64?
    /// Exclusive (wall clock, ms).
    var createdBefore: Int64?
    var minImportance: Double?

    init(_ query: MemoryQuery) {
        filter = query.filter
        createdAfter = query.createdAfter
        createdBefore = query.createdBefore
        minImportance = query.minImportance
    }

    /// Whether it needs anything that an index knows without reading metadata.
    var asksOfHeads: Bool { createdAfter != nil || createdBefore != nil || minImportance != nil }
    /// Whether every memory matches.
    var isEmpty: Bool { filter == nil && !asksOfHeads }

    /// Whether a memory matches.
    func admits(_ memory: Memory) -> Bool {
        admits(createdAt: memory.createdAt, importance: Float(memory.importance))
            && filter?.holds(for: memory.metadata ?? .null) != false
    }

    /// Whether a memory's age and importance match. Importance is compared as Float32, as the index stores it.
    func admits(createdAt: Int64, importance: Float) -> Bool {
        createdAt >= createdAfter ?? .min && createdAt < createdBefore ?? .max && importance >= minImportance.map { Float($0) } ?? 0
    }
}

/// Bonuses added to similarity.
struct MemoryWeights: Hashable {
    /// The bonus of a memory created just now; it halves with each half-life of age.
    var recency: Double
    /// In ms.
    var halfLife: Int64
    /// The bonus of a memory with importance 1; others in proportion.
    var importance: Double

    /// The weights of a query; nil if only similarity counts.
    init?(_ query: MemoryQuery) {
        guard query.recencyWeight != 0 || query.importanceWeight != 0 else { return nil }
        recency = query.recencyWeight
        halfLife = query.recencyHalfLife
        importance = query.importanceWeight
    }

    /// The bonus of a memory. A creation time in the future counts as now.
    func bonus(createdAt: Int64, importance: Float, now: Int64) -> Float {
        var bonus = self.importance * Double(importance)
        if recency != 0 {
            let age = now.subtractingReportingOverflow(createdAt)
            bonus += recency * exp2(-Double(age.overflow ? 0 : max(0, age.partialValue)) / Double(halfLife))
        }
        return Float(bonus)
    }
}

/// Reciprocal rank fusion of two rankings (Cormack, Clarke and Büttcher, SIGIR 2009): each contributes 1 / (60 + rank).
enum RankFusion {
    /// A result of either ranking, or of both.
    struct Found: Equatable {
        var id: Int64
        /// The sum over the rankings.
        var score: Double
        /// The rank in the first, from 1.
        var first: Int?
        /// The rank in the second, from 1.
        var second: Int?
    }

    private static let constant = 60.0

    /// Merges both rankings, best first; among equal ones, the smaller id first.
    static func fuse(_ first: [Int64], _ second: [Int64]) -> [Found] {
        var found: [Int64: Found] = [:]
        for (place, id) in first.enumerated() {
            found[id] = Found(id: id, score: 1 / (constant + Double(place + 1)), first: place + 1)
        }
        for (place, id) in second.enumerated() {
            var one = found[id] ?? Found(id: id, score: 0)
            one.second = place + 1
            one.score += 1 / (constant + Double(place + 1))
            found[id] = one
        }
        return found.values.sorted { ($0.score, $1.id) > ($1.score, $0.id) }
    }
}
