import AgentQueueMemory
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

extension Memories {
    /// Reads all memories that have not expired, page by page, in constant memory and in the order of their ids.
    /// - Parameters:
    ///   - namespace: nil for all, ordered by name.
    ///   - withVectors: whether to read their vectors too.
    ///   - body: receives each memory.
    /// - Returns: the number of memories.
    /// - Throws: `MemoryError` if there is no such namespace, or if it was re-embedded meanwhile; `StoreError`; the errors of `body`.
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

    /// The namespace with a name; all namespaces for nil.
    /// - Throws: `MemoryError` if there is no such namespace, `StoreError`.
    package func namespaces(named name: String?) throws -> [MemoryNamespace] {
        try database.memories.withSnapshot { snapshot in try name.map { [try snapshot.existing($0)] } ?? snapshot.namespaces() }
    }
}

/// Reads all memories of a namespace page by page. It holds neither memory nor a transaction for long; a memory that changes meanwhile is
/// read in its old or its new form.
struct MemoryExport {
    /// The number of memories in a page.
    static let page = 500

    let database: QueueStore
    let namespace: MemoryNamespace
    let withVectors: Bool

    /// The memories with the next larger ids, in order, with their vectors if requested; empty at the end.
    /// - Throws: `StoreError`; `MemoryError` if the namespace was re-embedded since it was looked up.
    func page(after id: Int64) throws -> [MemoryRecord] {
        let memories = try database.memories.list(in: namespace.name, after: id, limit: Self.page)
        guard withVectors, !memories.isEmpty, let space = namespace.space else { return memories.map { MemoryRecord(memory: $0) } }
        return try database.memories.withSnapshot { snapshot in
            guard try snapshot.namespace(named: namespace.name)?.space == space else {
                throw MemoryError(
                    "namespace \(InvalidText.quoted(namespace.name)) was embedded again, or deleted, meanwhile: try once more")
            }
            // Text and vector must be from the same moment, so memories that changed since the page was read are read again.
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
