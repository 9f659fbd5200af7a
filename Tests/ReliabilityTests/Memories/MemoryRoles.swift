import AgentQueueMemory
import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

extension ReliabilityTests {
    /// What a ``MemoryChild`` does: tests that run in such a process alone.
    @Suite(.enabled(if: MemoryProcess.database != nil, "what child processes of other tests do")) struct MemoryRoles {
        private func withStore(_ body: (QueueStore) async throws -> Void) async throws {
            let store = try QueueStore(path: try #require(MemoryProcess.database))
            defer { store.close() }
            try await body(store)
        }

        private static func say(_ text: String) {
            let bytes = Array((text + "\n").utf8)
            _ = write(STDOUT_FILENO, bytes, bytes.count)
        }

        /// Does what it is told, a line each, with one search that lives as long as it does.
        @Test func obey() async throws {
            try await withStore { store in
                let search = MemorySearch(store)
                while let line = readLine() {
                    let words = line.split(separator: " ").map(String.init)
                    let numbers = words.dropFirst(2).compactMap { Int($0) }
                    let reply =
                        switch words[1] {
                        case "store": try await Self.store(numbers, in: store)
                        case "forget": "\(try await store.memories.forget(numbers.map(Int64.init)))"
                        default: try await Self.find(numbers, search)
                        }
                    Self.say("@\(words[0]) \(reply) @\(words[0]).")
                }
            }
        }

        private static func store(_ numbers: [Int], in store: QueueStore) async throws -> String {
            let memory = try NumberedMemory(number: numbers[0], version: numbers[1]).new(isKeyed: true)
            let remembered = try await store.memories.remember([memory], in: MemoryProcess.namespace, model: NumberedMemory.model)
            return "\(remembered[0].id) \(remembered[0].outcome)"
        }

        private static func find(_ numbers: [Int], _ search: MemorySearch) async throws -> String {
            var query = MemoryQuery(
                namespaces: [MemoryProcess.namespace], vector: NumberedMemory(number: numbers[0], version: numbers[1]).vector)
            query.limit = 1
            let answer = try await search.answer([query])[0]
            guard let hit = answer.hits.first else { return "nothing" }
            let isNear = (hit.similarity ?? 0) > 0.999
            return "\(isNear ? "\(hit.memory.id) \(hit.memory.text)" : "others") rebuilt=\(answer.reports[0].isRebuilt)"
        }

        /// Stores, replaces and forgets batches without end.
        @Test func churn() async throws {
            try await withStore { store in
                var stored: [Int: [Int64]] = [:]
                for number in MemoryProcess.start... {
                    let batch = MemoryBatchPlan(number: number)
                    let ids = batch.forgets.flatMap { stored[$0] } ?? []
                    if batch.forgets != nil, ids.isEmpty { continue }
                    Self.say("@begin \(number)")
                    if batch.forgets != nil {
                        _ = try await store.memories.forget(ids)
                    } else {
                        let memories = try batch.memories(now: Int64(Date().timeIntervalSince1970 * 1_000))
                        stored[number] = try await store.memories.remember(
                            memories, in: MemoryProcess.namespace, model: NumberedMemory.model
                        ).map(
                            \.id)
                    }
                    Self.say("@done \(number)")
                }
            }
        }

        /// Merges blocks and removes what has expired, without end.
        @Test func keepUp() async throws {
            try await withStore { store in
                for number in 0... {
                    Self.say("@begin \(number)")
                    try await store.maintenance.compactMemory()
                    _ = try await store.maintenance.prune(PrunePolicy(completed: 0, cancelled: 0, discarded: 0))
                    Self.say("@done \(number)")
                }
            }
        }
    }
}
