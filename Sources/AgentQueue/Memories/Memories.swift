import JobModel
import QueueStore
import Settings
import VectorMemory

/// Vector memory, for a program that embeds it: texts that are remembered, recalled and forgotten.
///
/// ```swift
/// let memories = Memories(settings, store: queue.store, environment: ProcessInfo.processInfo.environment)
/// _ = try await memories.store([MemoryDraft("The office closes at six.")], in: "notes")
/// let found = try await memories.search([MemoryQuery(namespaces: ["notes"], text: "When does it close?")])
/// try await memories.shutdown()
/// ```
public struct Memories: Sendable {
    let settings: Settings
    let database: QueueStore
    let models: EmbeddingModels
    let index: MemorySearch
    /// Told what is worth a word to a person, and no error: one sentence.
    let notice: @Sendable (String) -> Void

    /// Makes it; calls and reads nothing. The embedding model is asked for when a text needs it.
    /// - Parameters:
    ///   - environment: where API keys are looked up.
    ///   - notice: told what is worth a word to a person, and no error: one sentence.
    public init(
        _ settings: Settings, store: QueueStore, environment: [String: String], notice: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.settings = settings
        self.notice = notice
        database = store
        models = EmbeddingModels(settings, store: store, environment: environment)
        index = MemorySearch(store, maxBytes: Int(clamping: settings.memory.indexBytes))
    }

    /// Ends connections, after the last call.
    public func shutdown() async throws { try await models.shutdown() }
}
