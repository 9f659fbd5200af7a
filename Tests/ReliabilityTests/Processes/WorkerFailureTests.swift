import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import GRDB
import Testing

/// A worker in a program's own process that cannot begin: who waits there for a job must not wait for ever.
@Suite(.timeLimit(.minutes(1))) struct WorkerFailureTests {
    @Test func `who waits for a job is told why this program's worker failed`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "agent-queue-failure-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let queue = try JobQueue(Settings(database: "\(folder)/queue.db"), environment: [:])
        defer { queue.store.close() }
        let id = try await queue.enqueue("Anyone there?").id
        let database = try DatabaseQueue(path: "\(folder)/queue.db")
        try await database.write { try $0.execute(sql: "ALTER TABLE workers RENAME TO gone") }
        let waiting = Task { try await queue.finish(id) }
        let working = Task { try await queue.work() }
        await #expect(throws: StoreError.self) { try await within(.seconds(30), "the worker fails") { try await working.value } }
        await #expect(throws: StoreError.self) { try await within(.seconds(30), "the wait ends") { try await waiting.value } }
        // Nor does one who begins to wait now.
        await #expect(throws: StoreError.self) { try await within(.seconds(30), "the wait ends") { try await queue.finish(id) } }
    }
}
