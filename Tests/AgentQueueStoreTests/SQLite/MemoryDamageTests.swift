import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

@testable import AgentQueueStore

/// Flipped bytes in a file of memories: refused, or reported, or without effect; never a crash or a hang.
@Suite struct MemoryDamageTests {
    private func make(_ path: String) async throws {
        let store = try QueueStore(path: path, options: StoreOptions(durability: .normal))
        for batch in 0..<6 {
            let memories = try (0..<20).map { number in
                NewMemory(
                    "text \(batch) \(number)", key: number < 3 ? "k\(number)" : nil, metadata: ["n": .integer(Int64(number))],
                    vector: try .of("\(batch) \(number)", dimension: 48))
            }
            _ = try await store.memories.remember(memories, in: "notes", model: .test)
        }
        let id = try store.memories.withSnapshot { try $0.namespace(named: "notes")?.id } ?? 0
        try await store.memories.indexWords(of: id)
        _ = try await store.memories.forget([5, 6, 7])
        _ = try await store.memories.beginSpace(in: "notes", model: VectorModel(target: "local/new"), dimension: 8)
        store.close()
        try RawConnection(path).run("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    /// Everything that reads or writes memories, once; the first failure ends it.
    private func exercise(_ store: QueueStore, _ generator: inout SeededGenerator) async throws {
        let ids = (0..<8).map { _ in Int64.random(in: 1...130, using: &generator) }
        try store.memories.withSnapshot { snapshot in
            for namespace in try snapshot.namespaces() {
                _ = try snapshot.words(["text", "3"], in: namespace.id, limit: 20)
                try snapshot.metadata(of: namespace.id, ids: 1...500) { _, _ in }
                guard let space = namespace.space else { continue }
                var sum = 0
                _ = try snapshot.changes(of: space, after: 0) { change in
                    guard case .entries(let block) = change else { return }
                    for index in 0..<block.count { sum &+= Int(truncatingIfNeeded: block.entry(index).number) }
                    for byte in block.codes { sum &+= Int(byte) }
                }
                try snapshot.vectors(snapshot.numbers(of: ids, in: space).map(\.number), of: space) { sum &+= Int($1[$0]) }
            }
            _ = try snapshot.memories(ids)
        }
        let memories = try ids.map {
            NewMemory("text \($0 % 6) \($0 % 20)", importance: 0.25, vector: try .of("\($0)", dimension: 48))
        }
        _ = try await store.memories.remember(memories, in: "notes", model: .test)
        let building = try store.memories.withSnapshot { try $0.namespace(named: "notes")?.building }
        if let building {
            let taken = try await store.write { try $0.takeForSpace(building.id, limit: 20) }
            let vectors = try taken.map { ($0.id, $0.version, try MemoryVector.of($0.text, dimension: 8)) }
            _ = try await store.write { try $0.add(vectors.map { (memoryID: $0.0, version: $0.1, vector: $0.2) }, to: building.id) }
        }
        _ = try await store.memories.forget(ids)
        let policy = PrunePolicy(
            completed: .max / 4, cancelled: .max / 4, discarded: .max / 4, memories: MemoryPolicy(maxBytes: 9_000), shrinks: false)
        _ = try await store.maintenance.prune(policy)
        _ = try await store.memories.forgetNamespace("notes")
    }

    @Test(.timeLimit(.minutes(2))) func damageIsHarmless() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            try await make(path)
            let sound = try Data(contentsOf: URL(fileURLWithPath: path))
            var generator = SeededGenerator(seed: 6)
            var noticed = 0
            for _ in 0..<150 {
                var bytes = sound
                for _ in 0..<(1 << Int.random(in: 2...9, using: &generator)) {
                    bytes[Int.random(in: bytes.indices, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
                }
                for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
                try bytes.write(to: URL(fileURLWithPath: path))
                do {
                    let store = try QueueStore(path: path, options: StoreOptions(durability: .normal))
                    defer { store.close() }
                    if try !store.maintenance.check().isSound { noticed += 1 }
                    try await exercise(store, &generator)
                } catch is StoreError {
                    noticed += 1
                }
            }
            #expect(noticed > 75)
        }
    }
}
