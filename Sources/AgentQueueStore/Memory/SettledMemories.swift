import AgentQueueModel

/// The memories of several jobs that complete together, prepared off the writer's thread and written in as few blocks as possible.
struct SettledMemories: Sendable {
    /// What can be stored together: memories of one namespace, model and dimension.
    private struct Group: Hashable {
        var namespace: String
        var model: VectorModel?
        var dimension: Int?
    }

    /// The memories of one job.
    private struct Part: Sendable {
        var place: Int
        var group: Group
        var memories: [PreparedMemory]
        var known: Set<Int>
    }

    private var parts: [Part] = []

    /// - Throws: `StoreError`; `conflict` if a memory is refused.
    init(_ requests: [SettleRequest]) throws(StoreError) {
        for (place, request) in requests.enumerated() {
            guard let write = request.memories, request.settlement.state == .completed else { continue }
            let prepared = try PreparedMemory.all(write.memories, in: write.namespace, model: write.model)
            let dimension = prepared.lazy.compactMap(\.vector?.dimension).first
            parts.append(
                Part(
                    place: place, group: Group(namespace: write.namespace, model: write.model, dimension: dimension), memories: prepared,
                    known: write.known))
        }
    }

    /// Stores the memories of the jobs that still hold their leases.
    /// - Returns: what to add to their results, by the request's index.
    /// - Throws: `conflict` if a namespace holds other vectors; `notFound` if a memory that must exist is gone.
    func write(_ requests: [SettleRequest], _ transaction: WriteTransaction) throws -> [Int: [JSONValue.Member]] {
        let ours = try parts.filter { try transaction.holds(requests[$0.place].job.lease) }
        var notes: [Int: [JSONValue.Member]] = [:]
        var seen: Set<Group> = []
        for group in ours.map(\.group) where seen.insert(group).inserted {
            let together = ours.filter { $0.group == group }
            var outcomes = try remember(together.flatMap(\.memories), group, transaction)[...]
            for part in together {
                let own = Array(outcomes.prefix(part.memories.count))
                outcomes = outcomes.dropFirst(part.memories.count)
                guard part.known.allSatisfy({ own[$0].outcome == .duplicate }) else {
                    throw StoreError(.notFound, "a memory that was stored already is gone")
                }
                notes[part.place] = own.notes
            }
        }
        for (place, request) in requests.enumerated() {
            guard let vectors = request.spaceVectors, try transaction.holds(request.job.lease) else { continue }
            let added = try transaction.add(vectors.entries.map { ($0.memoryID, $0.version, $0.vector) }, to: vectors.space)
            // Whoever adds the last vectors finishes the space; callers that add nothing find it finished.
            if added > 0 { _ = try transaction.finishSpace(vectors.space) }
            notes[place] = [.init("space", .integer(vectors.space)), .init("vectors", .integer(Int64(added)))]
        }
        return notes
    }

    /// Stores memories of one namespace and model. While a space for that model is being built, they go into it, and are found by their
    /// vectors once searches use it.
    private func remember(_ memories: [PreparedMemory], _ group: Group, _ transaction: WriteTransaction) throws -> [StoreOutcome] {
        let place = try transaction.namespaceState(named: group.namespace)
        guard let model = group.model, let building = place?.building, building.model == model, place?.current?.model != model else {
            return try transaction.remember(memories, in: group.namespace, model: group.model)
        }
        let remembered = try transaction.remember(memories.map(\.withoutVector), in: group.namespace, model: nil)
        var entries: [(memoryID: Int64, version: Int64, vector: MemoryVector)] = []
        for (memory, outcome) in zip(memories, remembered) {
            guard let vector = memory.vector, let version = try transaction.storedMemory(outcome.id)?.version else { continue }
            entries.append((outcome.id, version, vector))
        }
        _ = try transaction.add(entries, to: building.id)
        return remembered
    }
}

extension PreparedMemory {
    fileprivate var withoutVector: PreparedMemory {
        var memory = self
        memory.vector = nil
        return memory
    }
}

extension WriteTransaction {
    /// Whether a job is still running under a lease.
    func holds(_ lease: Lease) throws(SQLFailure) -> Bool {
        try statement("SELECT 1 FROM jobs WHERE id = ? AND +state = 'running' AND token = ?").bind(lease.jobID).bind(lease.token)
            .first { _ in true } ?? false
    }
}

extension [StoreOutcome] {
    /// The members that describe it in a job's result.
    var notes: [JSONValue.Member] {
        [
            .init("memory_ids", .array(map { .integer($0.id) })),
            .init("outcomes", .array(map { .string($0.outcome.rawValue) })),
        ]
    }
}

extension JSONValue {
    func with(_ members: [Member]) -> JSONValue { .object((self.members ?? []) + members) }
}
