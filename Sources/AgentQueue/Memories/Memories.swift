import JobModel
import Logging
import QueueStore
import Settings
import VectorMemory

/// Vector memory, for a program that embeds it: texts that are remembered, recalled and forgotten.
///
/// ```swift
/// let memories = try Memories(settings, store: queue.store, environment: ProcessInfo.processInfo.environment)
/// _ = try await memories.store([MemoryDraft("The office closes at six.")], in: "notes")
/// let found = try await memories.search([MemoryQuery(namespaces: ["notes"], text: "When does it close?")])
/// try await memories.shutdown()
/// ```
public struct Memories: Sendable {
    /// Makes it of the configured embedding model; calls nothing.
    /// - Throws: `InputError`, where that model's provider is not to be had.
    public init(_ settings: Settings, store: QueueStore, environment: [String: String]) throws {}

    /// Remembers texts: embeds those that are not there yet, in batches, and stores each batch in one transaction.
    /// - Returns: what became of each, in their order.
    /// - Throws: `InputError` before anything is stored, `StoreError`, `ModelFailure`.
    public func store(_ drafts: [MemoryDraft], in namespace: String) async throws -> [Remembered] {
        throw StoreError(.internal, "not built yet")
    }

    /// Finds memories: embeds the texts of queries that need a vector, all at once, each with its namespace's own model.
    /// - Throws: `InputError`, `MemoryError`, `StoreError`, `ModelFailure`.
    public func search(_ queries: [MemoryQuery]) async throws -> [MemoryAnswer] { throw StoreError(.internal, "not built yet") }

    /// Ends connections, after the last call.
    public func shutdown() async throws {}
}
