import JobModel
import QueueStore

extension Memories {
    /// The namespaces, by name.
    /// - Throws: `StoreError`.
    public func namespaces() throws -> [MemoryNamespace] { try database.readMemories { try $0.namespaces() } }

    /// How many memories have their vector in a space that is being made.
    /// - Throws: `StoreError`.
    public func progress(of space: MemorySpace) throws -> Int { try database.readMemories { try $0.progress(of: space) } }

    /// Memories, the newest first.
    /// - Parameters:
    ///   - namespace: nil is all.
    ///   - id: only smaller ids; nil begins with the newest.
    /// - Throws: `MemoryError` where there is no such namespace, `StoreError`.
    public func list(in namespace: String? = nil, before id: Int64? = nil, limit: Int) throws -> [Memory] {
        try database.readMemories { snapshot in
            let row = try namespace.map { name in try snapshot.existing(name).id }
            let ids = try snapshot.newest(in: row, before: id, limit: limit)
            let memories = try snapshot.memories(ids)
            return ids.compactMap { memories[$0] }
        }
    }

    /// The memories of ids, in their order; those that are gone or have expired are missing.
    /// - Parameter withVectors: whether their vectors are looked up too.
    /// - Throws: `StoreError`.
    public func get(_ ids: [Int64], withVectors: Bool = false) throws -> [MemoryRecord] {
        try database.readMemories { snapshot in
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
    public func id(key: String, in namespace: String) throws -> Int64? {
        try database.readMemories { snapshot in try snapshot.memoryID(key: key, in: snapshot.existing(namespace).id) }
    }

    /// Forgets memories.
    /// - Returns: how many there were.
    /// - Throws: `StoreError`.
    @discardableResult
    public func delete(_ ids: [Int64]) async throws -> Int { try await database.forget(ids) }

    /// Forgets a whole namespace, and its name.
    /// - Returns: how many memories it held.
    /// - Throws: `MemoryError` where there is none, `StoreError`.
    @discardableResult
    public func forgetNamespace(_ name: String) async throws -> Int {
        try database.readMemories { snapshot in _ = try snapshot.existing(name) }
        return try await database.forgetNamespace(name)
    }
}
