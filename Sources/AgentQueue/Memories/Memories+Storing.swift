import AgentQueueMemory
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueWorker

extension Memories {
    /// Stores texts as memories: checks all of them, embeds those that are not stored yet in batches of `memory.batch_size`, and stores
    /// each batch in one transaction as soon as it is embedded. Texts that are already stored are not paid for again.
    /// - Parameter stored: receives the outcomes of a batch, in order, after it is committed.
    /// - Returns: the outcome for each draft, in the same order.
    /// - Throws: `InputError` before anything is stored. `ModelFailure` and `StoreError`: batches that were committed before stay, and
    ///   calling this again with the same texts continues from there.
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

    /// The settings and the current time that memories are checked against.
    var context: MemoryContext {
        let policy = settings.memoryConfiguration
        return MemoryContext(now: database.clock.wall(), model: configuredModel) { policy.retention(of: $0) }
    }

    /// The model that makes vectors now; nil if `memory.vectors` is off.
    var configuredModel: VectorModel? { settings.memory.vectors ? models.model(settings.embeddingTarget) : nil }

    var writer: MemoryWriter { MemoryWriter(database: database, models: models) }

    /// The space of a namespace's vectors; nil if it has none.
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
