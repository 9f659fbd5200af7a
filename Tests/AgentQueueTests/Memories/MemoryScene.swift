import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import Synchronization

@testable import AgentQueue

/// Memories in a database of their own, embedded by a scripted server.
struct MemoryScene {
    let memories: Memories
    let store: QueueStore
    let settings: Settings
    let words: WordVectors
    let folder: String
    /// What a person was told.
    let notices: Notices

    /// Sentences that came.
    final class Notices: Sendable {
        private let sentences = Mutex<[String]>([])
        var all: [String] { sentences.withLock(\.self) }
        func add(_ sentence: String) { sentences.withLock { $0.append(sentence) } }
    }

    /// Lends one.
    static func with(_ change: (inout Settings) -> Void = { _ in }, _ body: (MemoryScene) async throws -> Void) async throws {
        try await withFolder { folder in
            let words = WordVectors()
            try await ScriptedServer.withServer(words.script) { server in
                var settings = Settings(database: "\(folder)/queue.db")
                var provider = ProviderSettings(kind: .openai)
                provider.baseURL = server.url + "/v1"
                settings.providers = ["scripted": provider]
                settings.memory.embeddingModel = "scripted/e5"
                settings.memory.batchSize = 4
                settings.http.maxRetries = 0
                change(&settings)
                let store = try QueueStore(path: settings.database)
                defer { store.close() }
                let notices = Notices()
                let memories = Memories(settings, store: store, environment: [:]) { notices.add($0) }
                let scene = MemoryScene(
                    memories: memories, store: store, settings: settings, words: words, folder: folder, notices: notices)
                do {
                    try await body(scene)
                } catch {
                    try await memories.shutdown()
                    throw error
                }
                try await memories.shutdown()
            }
        }
    }

    /// The same database under other settings.
    func with(_ change: (inout Settings) -> Void, _ body: (Memories) async throws -> Void) async throws {
        var settings = settings
        change(&settings)
        let memories = Memories(settings, store: store, environment: [:]) { notices.add($0) }
        try await body(memories)
        try await memories.shutdown()
    }

    /// How many memories there are.
    var count: Int { get throws { try memories.namespaces().reduce(0) { $0 + $1.memories } } }

    /// Stores a file of lines.
    @discardableResult
    func store(
        _ lines: [String], vectors: VectorFile? = nil, _ options: BulkMemoryOptions = BulkMemoryOptions(), into other: Memories? = nil
    ) async throws -> [StoreOutcome] {
        let path = "\(folder)/lines.jsonl"
        try write(Array(lines.joined(separator: "\n").utf8), to: path)
        let run = BulkMemories(
            input: try BulkInput(path: path, spoolFolder: nil), vectors: vectors, options: options, memories: other ?? memories)
        var results: [StoreOutcome] = []
        try await run.store(try await run.check()) { results += $0 }
        return results
    }
}

/// The sentence of the error that a body throws; nil where it throws none.
func sentence(_ body: () async throws -> Void) async -> String? {
    do {
        try await body()
        return nil
    } catch {
        return "\(error)"
    }
}
