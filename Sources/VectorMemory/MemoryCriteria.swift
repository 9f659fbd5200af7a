import JobModel
import QueueStore

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
