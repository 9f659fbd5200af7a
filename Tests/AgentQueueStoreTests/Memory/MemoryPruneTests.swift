import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueStore

/// Which memories go.
@Suite struct MemoryPruneTests {
    private func policy(_ memories: MemoryPolicy = MemoryPolicy(), shrinks: Bool = false) -> PrunePolicy {
        PrunePolicy(completed: .max / 4, cancelled: .max / 4, discarded: .max / 4, memories: memories, shrinks: shrinks)
    }

    /// Prunes, after a look at what it would do. Returns how many went.
    private func prune(_ f: Fixture, _ memories: MemoryPolicy = MemoryPolicy()) async throws -> Int {
        let prospect = try await f.store.maintenance.prune(policy(memories), dryRun: true).memories
        let report = try await f.store.maintenance.prune(policy(memories)).memories
        #expect(report == prospect)
        return report
    }

    private func texts(_ f: Fixture) throws -> [String] { try f.store.memories.list(in: nil, after: 0, limit: 10_000).map(\.text) }

    @Test func whatHasExpiredGoes() async throws {
        try await withStore(durability: .normal) { f in
            try await f.remember((0..<450).map { "text \($0)" }) { $0.expiresAt = f.clock.wall + 1_000 }
            try await f.remember(["stays"])
            #expect(try await prune(f) == 0)
            f.clock.wall += 999
            #expect(try await prune(f) == 0)
            f.clock.wall += 1
            #expect(try texts(f) == ["stays"])
            #expect(try f.store.maintenance.statistics().memories == 451)
            #expect(try await prune(f) == 450)
            let statistics = try f.store.maintenance.statistics()
            #expect(statistics.memories == 1 && statistics.memoryBytes == 225)
            #expect(try f.raw().int("SELECT sum(entries) FROM memory_blocks") == 1, "their vectors too")
        }
    }

    @Test func theLeastImportantGoFirst() async throws {
        try await withStore { f in
            let start = f.clock.wall
            let ages: [String: Int64] = ["a": 50, "b": 10, "c": 40, "d": 30, "e": 40]
            try await f.remember(["a", "b", "c", "d", "e"]) { memory in
                memory.importance = memory.text == "a" ? 0.9 : 0.5
                memory.createdAt = start - (ages[memory.text] ?? 0)
            }
            try await f.remember(["other"], in: "other")
            // c was made before d, and was recalled since.
            try await f.store.memories.noteRecalled([3])
            let version = try f.memory(3)?.version
            #expect(try f.memory(3)?.recalledAt == start && f.memory(3)?.version == version)
            for left in [["a", "b", "c", "d", "other"], ["a", "b", "c", "other"], ["a", "c", "other"], ["a", "other"], ["other"]] {
                let cap = MemoryPolicy(namespaces: ["notes": MemoryPolicy.Cap(rows: left.count - 1), "nowhere": MemoryPolicy.Cap(rows: 0)])
                #expect(try await prune(f, cap) == 1)
                #expect(try texts(f) == left)
                #expect(try await prune(f, cap) == 0)
            }
        }
    }

    @Test func bytesAreCapped() async throws {
        try await withStore(durability: .normal) { f in
            // 20 + 4 × 5 + 200 each.
            let text = { (number: Int) in "0123456789 \(100_000_000 + number)" }
            try await f.remember((0..<700).map(text))
            try await f.remember((0..<300).map(text), in: "other") { $0.importance = 0.6 }
            #expect(try f.namespace().bytes == 700 * 240)
            #expect(try await prune(f, MemoryPolicy(namespaces: ["notes": MemoryPolicy.Cap(bytes: 600 * 240 + 239)])) == 100)
            #expect(try f.namespace().memories == 600)
            #expect(try texts(f).first == text(100))
            #expect(try await prune(f, MemoryPolicy(maxBytes: 240 * 800)) == 100)
            #expect(try await prune(f, MemoryPolicy(maxBytes: 240 * 250, namespaces: ["notes": MemoryPolicy.Cap(rows: 10)])) == 550)
            #expect(try f.store.memories.withSnapshot { try $0.namespaces().map(\.memories) } == [0, 250])
            #expect(try f.store.maintenance.check().faults == [])
        }
    }

    /// The order was found a moment ago: what was recalled or changed since is looked at anew.
    @Test func whatWasRecalledMeanwhileStays() async throws {
        try await withStore { f in
            try await f.remember(["a", "b", "c"])
            let bound = MemoryBound(namespace: try f.namespace().id, rows: 1)
            let candidates = try f.store.memories.withSnapshot { try $0.candidates(for: bound, limit: 9) }
            #expect(candidates.map(\.id) == [1, 2])
            try await f.store.memories.noteRecalled([1])
            try await f.remember(["b"]) { $0.importance = 0.1 }
            #expect(try await f.store.write { try $0.evict(candidates, over: bound) } == 0)
            #expect(try await f.store.memories.forget([3]) == 1)
            #expect(try await f.store.memories.forget([2]) == 1)
            let none = try f.store.memories.withSnapshot { try $0.candidates(for: bound, limit: 9) }
            #expect(none.isEmpty)
        }
    }

    @Test func theirRoomIsGivenBack() async throws {
        try await withStore(durability: .normal) { f in
            try await f.remember((0..<2_000).map { "text \($0)" }, dimension: 256)
            // What is in the log only is not part of the file, and would not be counted.
            try f.raw().run("PRAGMA wal_checkpoint(TRUNCATE)")
            let full = try f.store.maintenance.statistics().databaseBytes
            let length = try f.fileLength()
            let report = try await f.store.maintenance.prune(
                policy(MemoryPolicy(namespaces: ["notes": MemoryPolicy.Cap(rows: 100)]), shrinks: true))
            #expect(report.memories == 1_900 && report.bytesFreed > 1_900 * 256 * 5)
            #expect(try report.bytesFreed == length - f.fileLength())
            #expect(try f.store.maintenance.statistics().databaseBytes < full / 4)
        }
    }

    /// What a crash left of a namespace that was being forgotten.
    @Test func whatWasBeingForgottenGoes() async throws {
        try await withStore { f in
            try await f.remember(["a", "b"])
            try await f.store.memories.indexWords(of: f.namespace().id)
            _ = try await f.store.memories.beginSpace(in: "notes", model: VectorModel(target: "local/new"), dimension: 2)
            try f.raw().run("UPDATE namespaces SET is_forgotten = 1")
            #expect(try texts(f) == [] && f.memory(1) == nil)
            #expect(try f.store.memories.withSnapshot { try $0.namespaces() } == [])
            // Its name is free at once.
            try await f.remember(["c"])
            #expect(try texts(f) == ["c"])
            #expect(try f.store.maintenance.check().faults == [])
            #expect(try await f.store.maintenance.prune(policy()).memories == 0)
            #expect(try f.count(of: "namespaces") == 1)
            #expect(try f.count(of: "memory_spaces") == 1)
            #expect(try f.store.maintenance.statistics().memories == 1)
        }
    }

    @Test func backupsAndVacuumTakeThemAlong() async throws {
        try await withFolder { folder in
            try await withStore { f in
                try await f.remember(["red apple", "green pear", "gone"])
                try await f.store.memories.indexWords(of: f.namespace().id)
                _ = try await f.store.memories.forget([3])
                try await f.store.claims.unregisterWorker(f.worker)
                try f.store.maintenance.vacuum()
                #expect(try f.store.maintenance.check().faults == [])
                try f.store.maintenance.backup(to: folder + "/backup.db")
                _ = try QueueStore.restore(from: folder + "/backup.db", to: folder + "/copy.db")
                let copy = try QueueStore(path: folder + "/copy.db")
                defer { copy.close() }
                #expect(try copy.maintenance.check().faults == [])
                let id = try #require(try copy.memories.withSnapshot { try $0.namespace(named: "notes")?.id })
                #expect(try copy.memories.withSnapshot { try $0.words(["pear"], in: id, limit: 9).map(\.id) } == [2])
                let outcome = try await copy.memories.remember(
                    [NewMemory("red apple", vector: .of("red apple"))], in: "notes", model: .test)
                #expect(outcome == [StoreOutcome(id: 1, outcome: .duplicate)])
            }
        }
    }
}
