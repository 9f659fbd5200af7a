import AgentQueueMemory
import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Testing

/// All memories that there are, and whether a search finds just these.
struct MemoryCensus: Sendable {
    let store: QueueStore
    /// The rows that have not expired, by id.
    private(set) var rows: [Int64: Memory] = [:]

    /// Counts them.
    init(_ store: QueueStore) async throws {
        self.store = store
        var last: Int64 = 0
        while true {
            let page = try store.memories.list(in: nil, after: last, limit: 500)
            guard let end = page.last?.id else { break }
            for memory in page where memory.expiresAt.map({ $0 > store.clock.wall() }) ?? true { rows[memory.id] = memory }
            last = end
        }
    }

    /// The numbers of the batches that are there, and how many memories of each.
    var batches: [Int: Int] {
        rows.values.reduce(into: [:]) { batches, memory in
            if let batch = MemoryBatchPlan.batch(of: memory) { batches[batch, default: 0] += 1 }
        }
    }

    /// The versions of the memories with keys.
    var versions: [Int64] {
        rows.values.compactMap { memory in
            guard memory.key != nil, case .integer(let version)? = memory.metadata?["version"] else { return nil }
            return version
        }
    }

    /// Sees that an index that is read now, and one that has followed for long, find all of them, and nothing else.
    func expectIndexAgrees(_ old: MemorySearch? = nil) async throws {
        // A process that was killed before its first commit leaves no namespace, and a search in one that does not exist is an error.
        guard try store.memories.withSnapshot({ try $0.namespace(named: MemoryProcess.namespace) }) != nil else {
            #expect(rows.isEmpty)
            return
        }
        let fresh = MemorySearch(store)
        for search in [old, fresh].compactMap(\.self) {
            var query = MemoryQuery(namespaces: [MemoryProcess.namespace], vector: NumberedMemory(number: 0).vector)
            query.limit = 10_000
            #expect(Set(try await search.answer([query])[0].hits.map(\.memory.id)) == Set(rows.keys))
        }
        // Each lies where it should: its own vector finds it.
        let sample = rows.values.sorted { $0.id < $1.id }.suffix(30)
        let queries = sample.map { memory in
            let (number, version) = (memory.metadata?["number"]?.int ?? 0, memory.metadata?["version"]?.int ?? 0)
            var query = MemoryQuery(
                namespaces: [MemoryProcess.namespace], vector: NumberedMemory(number: Int(number), version: Int(version)).vector)
            query.limit = 1
            return query
        }
        for (memory, answer) in zip(sample, try await fresh.answer(queries)) {
            #expect(answer.hits.first?.memory.id == memory.id)
            #expect((answer.hits.first?.similarity ?? 0) > 0.999)
        }
    }
}
