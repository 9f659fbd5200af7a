import QueueStore
import VectorMemory

extension Memories {
    /// Reads all memories, page by page, in constant memory; those that have expired are left out.
    /// - Parameters:
    ///   - namespace: nil is all, by name.
    ///   - withVectors: whether each comes with its vector: then in the order in which vectors were made, and those without one last.
    ///   - body: told of each memory.
    /// - Returns: how many there were.
    /// - Throws: `MemoryError` where there is no such namespace, or it was embedded again meanwhile; `StoreError`; what `body` throws.
    @discardableResult
    public func export(
        namespace: String? = nil, withVectors: Bool = false, _ body: (StoredMemory) throws -> Void
    ) async throws -> Int {
        var count = 0
        for each in try namespaces(named: namespace) {
            var export = MemoryExport(database, withVectors: withVectors)
            try await export.read(each) { stored in
                try body(stored)
                count += 1
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
