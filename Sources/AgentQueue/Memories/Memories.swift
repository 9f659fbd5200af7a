import AgentQueueMemory
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// The memories of a database: texts that are stored, searched and deleted.
///
/// ```swift
/// let memories = Memories(settings, store: queue.store, environment: ProcessInfo.processInfo.environment)
/// _ = try await memories.store([MemoryDraft("The office closes at six.")], in: "notes")
/// let found = try await memories.search([MemoryQuery(namespaces: ["notes"], text: "When does it close?")])
/// try await memories.shutdown()
/// ```
package struct Memories: Sendable {
    let settings: Settings
    let database: QueueStore
    let models: EmbeddingModels
    let index: MemorySearch
    /// Receives one-sentence remarks for the user that are not errors.
    let notice: @Sendable (String) -> Void

    /// Makes an instance; calls and reads nothing. The embedding model is opened when a text needs it.
    /// - Parameters:
    ///   - environment: where API keys are looked up.
    ///   - own: the embedding program's providers.
    ///   - notice: receives one-sentence remarks for the user that are not errors.
    package init(
        _ settings: Settings, store: QueueStore, environment: [String: String], own: [any ModelProvider] = [],
        notice: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.settings = settings
        self.notice = notice
        database = store
        models = EmbeddingModels(settings, store: store, environment: environment, own: own)
        index = MemorySearch(store, maxBytes: Int(clamping: settings.memory.indexBytes))
    }

    /// Closes connections. Call it after the last call.
    package func shutdown() async throws { try await models.shutdown() }
}

extension Memories {
    /// The namespaces, by name.
    /// - Throws: `StoreError`.
    package func namespaces() throws -> [MemoryNamespace] { try database.memories.withSnapshot { try $0.namespaces() } }

    /// The memories that will expire, by the id of their namespace.
    /// - Throws: `StoreError`.
    package func expiring() throws -> [Int64: MemoryExpiring] { try database.memories.withSnapshot { try $0.expiring() } }

    /// How long a memory of a namespace is kept that does not say so itself; nil means for ever.
    package func retention(of namespace: String) -> Duration? { settings.retention(ofNamespace: namespace).duration }

    /// The number of memories that have their vector in a space that is being built.
    /// - Throws: `StoreError`.
    package func progress(of space: MemorySpace) throws -> Int { try database.memories.withSnapshot { try $0.progress(of: space) } }

    /// Memories, newest first.
    /// - Parameters:
    ///   - namespace: nil for all.
    ///   - id: only smaller ids; nil starts with the newest.
    /// - Throws: `MemoryError` if there is no such namespace, `StoreError`.
    package func list(in namespace: String? = nil, before id: Int64? = nil, limit: Int) throws -> [Memory] {
        try database.memories.withSnapshot { snapshot in
            let row = try namespace.map { name in try snapshot.existing(name).id }
            let ids = try snapshot.newest(in: row, before: id, limit: limit)
            let memories = try snapshot.memories(ids)
            return ids.compactMap { memories[$0] }
        }
    }

    /// The memories with these ids, in the same order. Those that are gone or have expired are missing.
    /// - Parameter withVectors: whether to read their vectors too.
    /// - Throws: `StoreError`.
    package func get(_ ids: [Int64], withVectors: Bool = false) throws -> [MemoryRecord] {
        try database.memories.withSnapshot { snapshot in
            let memories = try snapshot.memories(ids)
            return try ids.compactMap { id in
                guard let memory = memories[id] else { return nil }
                guard withVectors, let space = try snapshot.namespace(named: memory.namespace)?.space else {
                    return MemoryRecord(memory: memory)
                }
                let vector = try snapshot.vectors(of: [id], in: space)[id]
                return MemoryRecord(memory: memory, vector: vector, model: vector == nil ? nil : space.model)
            }
        }
    }

    /// The id of the memory with a key; nil if there is none.
    /// - Throws: `MemoryError` if there is no such namespace, `StoreError`.
    package func id(key: String, in namespace: String) throws -> Int64? {
        try database.memories.withSnapshot { snapshot in try snapshot.memoryID(key: key, in: snapshot.existing(namespace).id) }
    }

    /// Deletes memories.
    /// - Returns: the number of memories that existed.
    /// - Throws: `StoreError`.
    @discardableResult
    package func delete(_ ids: [Int64]) async throws -> Int { try await database.memories.forget(ids) }

    /// Deletes a namespace with all its memories.
    /// - Returns: the number of memories that it had.
    /// - Throws: `MemoryError` if there is no such namespace, `StoreError`.
    @discardableResult
    package func forgetNamespace(_ name: String) async throws -> Int {
        try database.memories.withSnapshot { snapshot in _ = try snapshot.existing(name) }
        return try await database.memories.forgetNamespace(name)
    }
}

/// A memory with its vector.
package struct MemoryRecord: Sendable, Equatable {
    package var memory: Memory
    /// Its vector as it was given; nil if it has none, or if it was not requested.
    package var vector: [Float]?
    /// The model that made the vector.
    package var model: VectorModel?

    package init(memory: Memory, vector: [Float]? = nil, model: VectorModel? = nil) {
        self.memory = memory
        self.vector = vector
        self.model = model
    }
}

extension MemorySnapshot {
    /// The namespace with a name.
    /// - Throws: `MemoryError` if there is none, with a suggestion of a similar name.
    func existing(_ name: String) throws -> MemoryNamespace {
        if let namespace = try namespace(named: name) { return namespace }
        let names = try namespaces().map(\.name)
        let hint = names.isEmpty ? " (there is none yet)" : Suggestion.hint(for: name, in: names)
        throw MemoryError("there is no namespace \(InvalidText.quoted(name))\(hint)")
    }
}
