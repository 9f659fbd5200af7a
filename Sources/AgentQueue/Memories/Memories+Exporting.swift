import QueueStore
import VectorMemory

extension Memories {
    /// Reads all memories, page by page, in constant memory and in the order of their ids; those that have expired are left out.
    /// - Parameters:
    ///   - namespace: nil is all, by name.
    ///   - withVectors: whether each comes with its vector.
    ///   - body: told of each memory.
    /// - Returns: how many there were.
    /// - Throws: `MemoryError` where there is no such namespace, or it was embedded again meanwhile; `StoreError`; what `body` throws.
    @discardableResult
    public func export(
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
    public func namespaces(named name: String?) throws -> [MemoryNamespace] {
        try database.readMemories { snapshot in try name.map { [try snapshot.existing($0)] } ?? snapshot.namespaces() }
    }
}
