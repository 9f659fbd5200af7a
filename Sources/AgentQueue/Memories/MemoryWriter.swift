import AgentQueueModel
import AgentQueueStore
import AgentQueueWorker

/// Embeds memories and stores them slice by slice. While a slice is being committed, the next one is embedded.
struct MemoryWriter: Sendable {
    let database: QueueStore
    let models: EmbeddingModels

    /// Memories of one namespace that are ready to be stored.
    private struct Group: Sendable {
        var namespace: String
        /// Their indices in the slice.
        var places: [Int]
        var memories: [CheckedMemory]
        /// Those that were already stored, so that nothing was paid for them.
        var known: [Int]
    }

    /// Stores slice after slice.
    /// - Parameters:
    ///   - next: returns the next slice; nil at the end.
    ///   - stored: receives the outcome of each memory of a slice, after it is committed.
    /// - Throws: the errors of `next`, the model, the store and `stored`. Slices that were committed before stay, and `stored` has
    ///   received them.
    func write(
        _ next: () throws -> MemorySlice?, stored: (_ slice: MemorySlice, _ results: [StoreOutcome]) async throws -> Void
    ) async throws {
        var recent = RecentVectors()
        var ready = await prepared(next, &recent)
        while let (slice, groups) = try ready.get() {
            try Task.checkCancellation()
            async let committed = commit(groups, count: slice.items.count)
            ready = await prepared(next, &recent)
            try await stored(slice, committed)
        }
    }

    private func prepared(
        _ next: () throws -> MemorySlice?, _ recent: inout RecentVectors
    ) async -> Result<(MemorySlice, [Group])?, any Error> {
        do {
            guard let slice = try next() else { return .success(nil) }
            recent.turn()
            var groups: [Group] = []
            for (namespace, places) in slice.places {
                groups.append(try await group(namespace, places, places.map { slice.items[$0].memory }, &recent))
            }
            return .success((slice, groups))
        } catch {
            return .failure(error)
        }
    }

    private func group(
        _ namespace: String, _ places: [Int], _ memories: [CheckedMemory], _ recent: inout RecentVectors
    ) async throws -> Group {
        var group = Group(namespace: namespace, places: places, memories: memories, known: [])
        let needing = memories.indices.filter { memories[$0].needsVector }
        guard let model = needing.first.flatMap({ memories[$0].model }) else { return group }
        let ids = try database.memories.known(needing.map { memories[$0].memory }, in: namespace, model: model)
        group.known = zip(needing, ids).compactMap { place, id in id == nil ? nil : place }
        try await embed(zip(needing, ids).compactMap { place, id in id == nil ? place : nil }, of: &group, &recent)
        return group
    }

    /// Makes the vectors of the texts, each distinct text once.
    private func embed(_ places: [Int], of group: inout Group, _ recent: inout RecentVectors) async throws {
        guard let model = places.first.flatMap({ group.memories[$0].model }), let target = Target(model.target) else { return }
        let texts = recent.unknown(places.map { group.memories[$0].memory.text })
        let vectors = try await models.embedder(for: target).embed(texts, as: .passage)
        for (text, vector) in zip(texts, vectors) { recent.add(try MemoryVector(vector), of: text) }
        for place in places { group.memories[place].memory.vector = recent.vector(of: group.memories[place].memory.text) }
    }

    private func commit(_ groups: [Group], count: Int) async throws -> [StoreOutcome] {
        var results = [StoreOutcome?](repeating: nil, count: count)
        for group in groups {
            for (place, result) in zip(group.places, try await commit(group)) { results[place] = result }
        }
        return results.compactMap(\.self)
    }

    private func commit(_ group: Group) async throws -> [StoreOutcome] {
        let results = try await remember(group)
        // A known memory may have been deleted since. It was then stored without a vector, and gets one now.
        let lost = group.known.filter { results[$0].outcome != .duplicate }
        guard !lost.isEmpty else { return results }
        var late = group
        var recent = RecentVectors()
        try await embed(lost, of: &late, &recent)
        late.memories = lost.map { late.memories[$0] }
        _ = try await remember(late)
        return results
    }

    private func remember(_ group: Group) async throws -> [StoreOutcome] {
        let model = group.memories.first { $0.memory.vector != nil }?.model
        return try await database.memories.remember(group.memories.map(\.memory), in: group.namespace, model: model)
    }
}

/// Memories that are stored together, in the given order.
struct MemorySlice: Sendable {
    var items: [(namespace: String, memory: CheckedMemory)] = []

    /// The maximum bytes of texts in a slice that has several memories.
    static let maxBytes = 4 << 20

    /// The indices of each namespace's memories, in order.
    var places: [(namespace: String, places: [Int])] {
        var order: [ExactText: Int] = [:]
        var places: [(namespace: String, places: [Int])] = []
        for (index, item) in items.enumerated() {
            if let group = order[ExactText(item.namespace)] {
                places[group].places.append(index)
            } else {
                order[ExactText(item.namespace)] = places.count
                places.append((item.namespace, [index]))
            }
        }
        return places
    }
}

/// The vectors of the texts of this slice and the previous one. The previous one may not be committed yet, so the database cannot tell
/// that its texts need not be embedded again.
struct RecentVectors {
    // Keyed by bytes: two encodings of the same letter are different texts to a model.
    private var before: [[UInt8]: MemoryVector] = [:]
    private var now: [[UInt8]: MemoryVector] = [:]

    /// Starts the next slice.
    mutating func turn() {
        before = now
        now = [:]
    }

    /// The distinct texts that have no vector here.
    func unknown(_ texts: [String]) -> [String] {
        var seen: Set<[UInt8]> = []
        return texts.filter { text in
            let bytes = Array(text.utf8)
            return now[bytes] == nil && before[bytes] == nil && seen.insert(bytes).inserted
        }
    }

    mutating func add(_ vector: MemoryVector, of text: String) { now[Array(text.utf8)] = vector }

    func vector(of text: String) -> MemoryVector? {
        let bytes = Array(text.utf8)
        return now[bytes] ?? before[bytes]
    }
}
