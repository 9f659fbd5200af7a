import AgentQueueModel
import AgentQueueStore
import Glibc

/// What a query asks of memories besides nearness.
struct MemoryCriteria: Hashable {
    /// What the metadata must fulfil; nil is nothing.
    var filter: Expression?
    /// Made at this time at the earliest (wall clock, ms).
    var createdAfter: Int64?
    /// Made before this time (wall clock, ms).
    var createdBefore: Int64?
    /// At least this important.
    var minImportance: Double?

    /// Those of a query.
    init(_ query: MemoryQuery) {
        filter = query.filter
        createdAfter = query.createdAfter
        createdBefore = query.createdBefore
        minImportance = query.minImportance
    }

    /// Whether it asks of what an index knows without metadata.
    var asksOfHeads: Bool { createdAfter != nil || createdBefore != nil || minImportance != nil }
    /// Whether every memory fulfils it.
    var isEmpty: Bool { filter == nil && !asksOfHeads }

    /// Whether a memory fulfils it.
    func admits(_ memory: Memory) -> Bool {
        admits(createdAt: memory.createdAt, importance: Float(memory.importance))
            && filter?.holds(for: memory.metadata ?? .null) != false
    }

    /// Whether a memory's age and importance fulfil it. An index keeps importance as Float32: so is it compared.
    func admits(createdAt: Int64, importance: Float) -> Bool {
        createdAt >= createdAfter ?? .min && createdAt < createdBefore ?? .max && importance >= minImportance.map { Float($0) } ?? 0
    }
}

/// What counts besides nearness, added to it.
struct MemoryWeights: Hashable {
    /// What a memory gets that was made just now; it halves with each half-life of age.
    var recency: Double
    /// In ms.
    var halfLife: Int64
    /// What a memory gets whose importance is 1; others in proportion.
    var importance: Double

    /// Those of a query; nil where nothing but nearness counts.
    init?(_ query: MemoryQuery) {
        guard query.recencyWeight != 0 || query.importanceWeight != 0 else { return nil }
        recency = query.recencyWeight
        halfLife = query.recencyHalfLife
        importance = query.importanceWeight
    }

    /// What a memory gets. One that is made in the future counts as made now.
    func bonus(createdAt: Int64, importance: Float, now: Int64) -> Float {
        var bonus = self.importance * Double(importance)
        if recency != 0 {
            let age = now.subtractingReportingOverflow(createdAt)
            bonus += recency * exp2(-Double(age.overflow ? 0 : max(0, age.partialValue)) / Double(halfLife))
        }
        return Float(bonus)
    }
}

/// Reciprocal rank fusion of two rankings (Cormack, Clarke and Büttcher, SIGIR 2009): each gives 1 / (60 + rank).
enum RankFusion {
    /// What was found in one of the rankings, or both.
    struct Found: Equatable {
        /// The memory.
        var id: Int64
        /// The sum over the rankings.
        var score: Double
        /// Its rank in the first, from 1.
        var first: Int?
        /// Its rank in the second, from 1.
        var second: Int?
    }

    private static let constant = 60.0

    /// Both rankings in one, the best first; of equal ones the smaller id.
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
