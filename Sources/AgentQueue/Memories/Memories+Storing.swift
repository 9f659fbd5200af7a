import AgentQueueMemory
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueWorker

extension Memories {
    /// Remembers texts: checks all of them, then embeds those that are not there yet, in batches of `memory.batch_size`, and stores each
    /// batch in one transaction as soon as it is embedded. What is stored already is not paid for again.
    /// - Parameter stored: told what became of the memories of a batch, in their order, once they are committed.
    /// - Returns: what became of each, in their order.
    /// - Throws: `InputError` before anything is stored. `ModelFailure` and `StoreError`: what `stored` was told of by then stays, and the
    ///   same texts again go on from there.
    @discardableResult
    package func store(
        _ drafts: [MemoryDraft], in namespace: String, stored: (([StoreOutcome]) async throws -> Void)? = nil
    ) async throws -> [StoreOutcome] {
        try NamespaceName.check(namespace)
        var checked = try check(drafts, in: namespace)[...]
        var results: [StoreOutcome] = []
        let size = settings.memory.batchSize
        try await writer.write {
            guard !checked.isEmpty else { return nil }
            var slice = MemorySlice()
            var bytes = 0
            while slice.items.count < size, let memory = checked.first {
                bytes += memory.memory.text.utf8.count
                guard slice.items.isEmpty || bytes <= MemorySlice.maxBytes else { break }
                slice.items.append((namespace, memory))
                checked = checked.dropFirst()
            }
            return slice
        } stored: { _, remembered in
            results += remembered
            try await stored?(remembered)
        }
        return results
    }

    /// What checking a memory needs to know now.
    var context: MemoryContext {
        let policy = settings.memoryConfiguration
        return MemoryContext(now: database.clock.wall(), model: configuredModel) { namespace in
            policy.retentions[namespace] ?? policy.retention
        }
    }

    /// What makes the vectors of texts now; nil where `memory.vectors` is off.
    var configuredModel: VectorModel? { settings.memory.vectors ? models.model(settings.embeddingTarget) : nil }

    var writer: MemoryWriter { MemoryWriter(database: database, models: models) }

    /// What the vectors of a namespace are; nil where it has none.
    func space(of namespace: String) throws -> MemorySpace? {
        try database.memories.withSnapshot { try $0.namespace(named: namespace)?.space }
    }

    private func check(_ drafts: [MemoryDraft], in namespace: String) throws -> [CheckedMemory] {
        let context = context
        var agreement = VectorAgreement(space: space)
        return try drafts.enumerated().map { index, draft in
            do {
                let memory = try draft.checked(in: namespace, context)
                try agreement.check(memory, in: namespace)
                return memory
            } catch let error as InputError where drafts.count > 1 {
                throw InputError("text \(index + 1): \(error.message); nothing was stored", kind: error.kind)
            }
        }
    }
}
