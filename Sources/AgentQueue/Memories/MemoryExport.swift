import QueueStore
import Settings
import VectorMemory

/// Reads all memories, page by page: nothing is held for long, neither in memory nor in the database, and what changes meanwhile is read as
/// it was or as it is.
struct MemoryExport {
    /// How many memories a page holds.
    static let page = 500

    let database: QueueStore
    let withVectors: Bool
    /// Those that were read, a bit each.
    private var seen = LineSet()

    init(_ database: QueueStore, withVectors: Bool) {
        self.database = database
        self.withVectors = withVectors
    }

    /// Reads a namespace.
    /// - Throws: what `body` throws; `StoreError`; `MemoryError` where the namespace was embedded again while it was read.
    mutating func read(_ namespace: MemoryNamespace, _ body: (StoredMemory) throws -> Void) async throws {
        if withVectors, let space = namespace.space { try await read(namespace, space, body) }
        // Those without a vector; all of them where vectors are not asked for.
        var after: Int64 = 0
        while case let memories = try database.memories(in: namespace.name, after: after, limit: Self.page), let last = memories.last {
            try Task.checkCancellation()
            for memory in memories where !seen.contains(Int(memory.id)) { try body(StoredMemory(memory: memory)) }
            after = last.id
        }
    }

    private mutating func read(_ namespace: MemoryNamespace, _ space: MemorySpace, _ body: (StoredMemory) throws -> Void) async throws {
        var after: Int64 = 0
        while let page = try page(namespace, space, after: after) {
            try Task.checkCancellation()
            for stored in page.memories where !seen.contains(Int(stored.memory.id)) {
                try body(stored)
                seen.insert(Int(stored.memory.id))
            }
            after = page.last
        }
    }

    /// The memories of the entries behind a number, each with its vector; nil at the end.
    private func page(
        _ namespace: MemoryNamespace, _ space: MemorySpace, after number: Int64
    ) throws -> (memories: [StoredMemory], last: Int64)? {
        try database.readMemories { snapshot in
            guard try snapshot.namespace(named: namespace.name)?.space == space else {
                throw MemoryError(
                    "namespace \(InvalidText.quoted(namespace.name)) was embedded again, or deleted, meanwhile: try once more")
            }
            let entries = try snapshot.entries(of: space, after: number, limit: Self.page)
            guard let last = entries.last else { return nil }
            let memories = try snapshot.memories(entries.map(\.memoryID))
            let alive = entries.filter { entry in memories[entry.memoryID].map { entry.number > $0.version } ?? false }
            let vectors = try snapshot.vectors(alive.map(\.number), of: space)
            let stored = zip(alive, vectors).compactMap { entry, vector -> StoredMemory? in
                guard let vector, let memory = memories[entry.memoryID] else { return nil }
                return StoredMemory(memory: memory, vector: vector, model: space.model)
            }
            return (stored, last.number)
        }
    }
}
