import JobModel
import QueueStore
import WorkerPool

/// Embeds memories and stores them, a slice at a time: while one is being committed, the next is embedded.
struct MemoryWriter: Sendable {
    let database: QueueStore
    let models: EmbeddingModels

    /// Memories of one namespace that have all that they need.
    private struct Group: Sendable {
        var namespace: String
        /// Where they stand in their slice.
        var places: [Int]
        var memories: [CheckedMemory]
        /// Those that were stored already, so that nothing was paid for them.
        var known: [Int]
    }

    /// Stores slice after slice.
    /// - Parameters:
    ///   - next: the next slice; nil ends it.
    ///   - stored: told what became of each memory of a slice, once that is committed.
    /// - Throws: what `next`, the model, the store and `stored` throw; what was committed by then stays, and `stored` has been told of it.
    func write(
        _ next: () throws -> MemorySlice?, stored: (_ slice: MemorySlice, _ results: [Remembered]) async throws -> Void
    ) async throws {
        var ready = await prepared(next)
        while let (slice, groups) = try ready.get() {
            try Task.checkCancellation()
            async let committed = commit(groups, count: slice.items.count)
            ready = await prepared(next)
            try await stored(slice, committed)
        }
    }

    private func prepared(_ next: () throws -> MemorySlice?) async -> Result<(MemorySlice, [Group])?, any Error> {
        do {
            guard let slice = try next() else { return .success(nil) }
            var groups: [Group] = []
            for (namespace, places) in slice.places {
                groups.append(try await group(namespace, places, places.map { slice.items[$0].memory }))
            }
            return .success((slice, groups))
        } catch {
            return .failure(error)
        }
    }

    private func group(_ namespace: String, _ places: [Int], _ memories: [CheckedMemory]) async throws -> Group {
        var group = Group(namespace: namespace, places: places, memories: memories, known: [])
        let needing = memories.indices.filter { memories[$0].needsVector }
        guard let model = needing.first.flatMap({ memories[$0].model }) else { return group }
        let ids = try database.known(needing.map { memories[$0].memory }, in: namespace, model: model)
        group.known = zip(needing, ids).compactMap { place, id in id == nil ? nil : place }
        try await embed(zip(needing, ids).compactMap { place, id in id == nil ? place : nil }, of: &group)
        return group
    }

    private func embed(_ places: [Int], of group: inout Group) async throws {
        guard let model = places.first.flatMap({ group.memories[$0].model }), let target = Target(model.target) else { return }
        let vectors = try await models.embedder(for: target).embed(places.map { group.memories[$0].memory.text }, as: .passage)
        for (place, vector) in zip(places, vectors) { group.memories[place].memory.vector = try MemoryVector(vector) }
    }

    private func commit(_ groups: [Group], count: Int) async throws -> [Remembered] {
        var results = [Remembered?](repeating: nil, count: count)
        for group in groups {
            for (place, result) in zip(group.places, try await commit(group)) { results[place] = result }
        }
        return results.compactMap(\.self)
    }

    private func commit(_ group: Group) async throws -> [Remembered] {
        let results = try await remember(group)
        // What was there a moment ago may have gone since: then it was stored without a vector, and gets one now.
        let lost = group.known.filter { results[$0].outcome != .duplicate }
        guard !lost.isEmpty else { return results }
        var late = group
        try await embed(lost, of: &late)
        late.memories = lost.map { late.memories[$0] }
        _ = try await remember(late)
        return results
    }

    private func remember(_ group: Group) async throws -> [Remembered] {
        let model = group.memories.first { $0.memory.vector != nil }?.model
        return try await database.remember(group.memories.map(\.memory), in: group.namespace, model: model)
    }
}
