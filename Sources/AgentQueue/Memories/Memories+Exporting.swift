import AgentQueueMemory
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

extension Memories {
    /// Reads all memories, page by page, in constant memory and in the order of their ids; those that have expired are left out.
    /// - Parameters:
    ///   - namespace: nil is all, by name.
    ///   - withVectors: whether each comes with its vector.
    ///   - body: told of each memory.
    /// - Returns: how many there were.
    /// - Throws: `MemoryError` where there is no such namespace, or it was embedded again meanwhile; `StoreError`; what `body` throws.
    @discardableResult
    package func export(
        namespace: String? = nil, withVectors: Bool = false, _ body: (MemoryRecord) throws -> Void
    ) async throws -> Int {
        var count = 0
        for each in try namespaces(named: namespace) {
            let export = MemoryExport(database: database, namespace: each, withVectors: withVectors)
            var after: Int64 = 0
            while case let page = try export.page(after: after), let last = page.last {
                try Task.checkCancellation()
                for record in page { try body(record) }
                count += page.count
                after = last.memory.id
            }
        }
        return count
    }

    /// The namespace of a name; all of them for nil.
    /// - Throws: `MemoryError` where there is no such namespace, `StoreError`.
    package func namespaces(named name: String?) throws -> [MemoryNamespace] {
        try database.memories.withSnapshot { snapshot in try name.map { [try snapshot.existing($0)] } ?? snapshot.namespaces() }
    }
}

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
        let memories = try database.memories.list(in: namespace.name, after: id, limit: Self.page)
        guard withVectors, !memories.isEmpty, let space = namespace.space else { return memories.map { MemoryRecord(memory: $0) } }
        return try database.memories.withSnapshot { snapshot in
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
