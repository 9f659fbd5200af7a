import AgentQueueMemory
import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Synchronization
import Testing

/// A store over a real file in a folder of its own, with a clock that a test turns, and a search over it.
final class SearchFixture: Sendable {
    let path: String
    let store: QueueStore
    let search: MemorySearch
    private let folder: String
    private let wall: Wall

    private final class Wall: Sendable {
        let now = Mutex<Int64>(1_795_305_600_000)  // 2026-11-22T00:00:00Z
    }

    static let model = VectorModel(target: "local/e", passagePrefix: "passage: ")

    init(maxBytes: Int = 2 << 30) throws {
        folder = try Folder.make()
        path = folder + "/queue.db"
        let wall = Wall()
        self.wall = wall
        let clock = StoreClock(wall: { wall.now.withLock { $0 } }, boot: { 5_000_000 }, bootID: { "boot-1" })
        store = try QueueStore(path: path, options: StoreOptions(durability: .normal, clock: clock))
        search = MemorySearch(store, maxBytes: maxBytes)
    }

    func remove() {
        store.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Wall clock, ms since 1970.
    var now: Int64 {
        get { wall.now.withLock { $0 } }
        set { wall.now.withLock { $0 = newValue } }
    }

    /// The same database, opened once more: as another process would, but for its locks.
    func another() throws -> QueueStore { try QueueStore(path: path, options: StoreOptions(durability: .normal, clock: store.clock)) }

    /// Remembers one text.
    @discardableResult
    func remember(
        _ text: String, _ vector: [Float]?, in namespace: String = "notes", _ configure: (inout NewMemory) -> Void = { _ in }
    ) async throws -> Int64 {
        var memory = NewMemory(text, vector: try vector.map(MemoryVector.init))
        configure(&memory)
        return try await store.memories.remember([memory], in: namespace, model: vector == nil ? nil : Self.model)[0].id
    }

    /// The texts that a query finds, in their order.
    func texts(_ query: MemoryQuery) async throws -> [String] { try await hits(query).map(\.memory.text) }

    func hits(_ query: MemoryQuery) async throws -> [MemoryHit] { try await search.answer([query])[0].hits }

    /// What a search throws.
    func error(_ query: MemoryQuery, sourceLocation: SourceLocation = #_sourceLocation) async -> String? {
        do {
            let answer = try await search.answer([query])
            Issue.record("nothing was thrown, but \(answer)", sourceLocation: sourceLocation)
            return nil
        } catch {
            return "\(error)"
        }
    }
}

/// Runs a test on a fresh store, and has the store checked after it.
func withSearch(maxBytes: Int = 2 << 30, _ body: (SearchFixture) async throws -> Void) async throws {
    let fixture = try SearchFixture(maxBytes: maxBytes)
    defer { fixture.remove() }
    try await body(fixture)
    #expect(try fixture.store.maintenance.check().faults == [])
}

extension MemoryQuery {
    /// A query by nearness.
    static func near(_ vector: [Float], in namespaces: [String] = ["notes"], limit: Int = 10, _ configure: (inout Self) -> Void = { _ in })
        -> Self
    {
        var query = MemoryQuery(namespaces: namespaces, vector: vector)
        query.limit = limit
        configure(&query)
        return query
    }

    /// A query by words.
    static func words(_ text: String, in namespaces: [String] = ["notes"], _ configure: (inout Self) -> Void = { _ in }) -> Self {
        var query = MemoryQuery(namespaces: namespaces, text: text)
        query.mode = .words
        configure(&query)
        return query
    }
}
