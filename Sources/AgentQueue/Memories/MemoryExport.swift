import QueueStore
import Settings
import VectorMemory

/// Reads all memories of a namespace, page by page: nothing is held for long, neither in memory nor in the database, and what changes
/// meanwhile is read as it was or as it is.
struct MemoryExport {
    /// How many memories a page holds.
    static let page = 500

    let database: QueueStore
    let namespace: MemoryNamespace
    let withVectors: Bool

    /// The memories with larger ids, in the order of these, each with its vector if that is asked for; none at the end.
    /// - Throws: `StoreError`; `MemoryError` where the namespace was embedded again since it was looked up.
    func page(after id: Int64) throws -> [MemoryRecord] {
        let memories = try database.memories(in: namespace.name, after: id, limit: Self.page)
        guard withVectors, !memories.isEmpty, let space = namespace.space else { return memories.map { MemoryRecord(memory: $0) } }
        return try database.readMemories { snapshot in
            guard try snapshot.namespace(named: namespace.name)?.space == space else {
                throw MemoryError(
                    "namespace \(InvalidText.quoted(namespace.name)) was embedded again, or deleted, meanwhile: try once more")
            }
            // Text and vector are of one moment: those that changed since the page was read are read again.
            let ids = memories.map(\.id)
            let now = try snapshot.memories(ids)
            let vectors = try snapshot.vectors(of: ids, in: space)
            return ids.compactMap { id in
                guard let memory = now[id] else { return nil }
                return MemoryRecord(memory: memory, vector: vectors[id], model: vectors[id] == nil ? nil : space.model)
            }
        }
    }
}
