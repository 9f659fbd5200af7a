import AgentQueueMemory
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// Vector memory, for a program that embeds it: texts that are remembered, recalled and forgotten.
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
    /// Told what is worth a word to a person, and no error: one sentence.
    let notice: @Sendable (String) -> Void

    /// Makes it; calls and reads nothing. The embedding model is asked for when a text needs it.
    /// - Parameters:
    ///   - environment: where API keys are looked up.
    ///   - own: the embedding program's providers.
    ///   - notice: told what is worth a word to a person, and no error: one sentence.
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

    /// Ends connections, after the last call.
    package func shutdown() async throws { try await models.shutdown() }
}

extension Memories {
    /// The namespaces, by name.
    /// - Throws: `StoreError`.
    package func namespaces() throws -> [MemoryNamespace] { try database.memories.withSnapshot { try $0.namespaces() } }

    /// How many memories have their vector in a space that is being made.
    /// - Throws: `StoreError`.
    package func progress(of space: MemorySpace) throws -> Int { try database.memories.withSnapshot { try $0.progress(of: space) } }

    /// Memories, the newest first.
    /// - Parameters:
    ///   - namespace: nil is all.
    ///   - id: only smaller ids; nil begins with the newest.
    /// - Throws: `MemoryError` where there is no such namespace, `StoreError`.
    package func list(in namespace: String? = nil, before id: Int64? = nil, limit: Int) throws -> [Memory] {
        try database.memories.withSnapshot { snapshot in
            let row = try namespace.map { name in try snapshot.existing(name).id }
            let ids = try snapshot.newest(in: row, before: id, limit: limit)
            let memories = try snapshot.memories(ids)
            return ids.compactMap { memories[$0] }
        }
    }

    /// The memories of ids, in their order; those that are gone or have expired are missing.
    /// - Parameter withVectors: whether their vectors are looked up too.
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

    /// The id of the memory of a key; nil where there is none.
    /// - Throws: `MemoryError` where there is no such namespace, `StoreError`.
    package func id(key: String, in namespace: String) throws -> Int64? {
        try database.memories.withSnapshot { snapshot in try snapshot.memoryID(key: key, in: snapshot.existing(namespace).id) }
    }

    /// Forgets memories.
    /// - Returns: how many there were.
    /// - Throws: `StoreError`.
    @discardableResult
    package func delete(_ ids: [Int64]) async throws -> Int { try await database.memories.forget(ids) }

    /// Forgets a whole namespace, and its name.
    /// - Returns: how many memories it held.
    /// - Throws: `MemoryError` where there is none, `StoreError`.
    @discardableResult
    package func forgetNamespace(_ name: String) async throws -> Int {
        try database.memories.withSnapshot { snapshot in _ = try snapshot.existing(name) }
        return try await database.memories.forgetNamespace(name)
    }
}

/// A memory with its vector.
package struct MemoryRecord: Sendable, Equatable {
    /// The memory.
    package var memory: Memory
    /// Its vector, as it was given; nil where it has none, or that was not asked for.
    package var vector: [Float]?
    /// What made the vector.
    package var model: VectorModel?

    /// Makes one.
    package init(memory: Memory, vector: [Float]? = nil, model: VectorModel? = nil) {
        self.memory = memory
        self.vector = vector
        self.model = model
    }
}

extension MemorySnapshot {
    /// The namespace of a name.
    /// - Throws: `MemoryError` where there is none, with the name that may have been meant.
    func existing(_ name: String) throws -> MemoryNamespace {
        if let namespace = try namespace(named: name) { return namespace }
        let names = try namespaces().map(\.name)
        let hint = names.isEmpty ? " (there is none yet)" : Suggestion.hint(for: name, in: names)
        throw MemoryError("there is no namespace \(InvalidText.quoted(name))\(hint)")
    }
}
