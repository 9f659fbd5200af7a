import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueStore

/// `check` finds what must not be among memories, and the statements that touch many of them go by indexes.
@Suite struct MemoryCheckTests {
    /// Memories of every kind: with words, dead entries, a second space under way, and some that are revisited.
    private func fill(_ f: Fixture) async throws {
        try await f.remember((0..<8).map { "text \($0)" })
        try await f.remember(["keyed"]) { $0.key = "k" }
        _ = try await f.store.memories.remember([NewMemory("words alone")], in: "notes", model: nil)
        try await f.store.memories.indexWords(of: f.namespace().id)
        let space = try await f.store.memories.beginSpace(in: "notes", model: VectorModel(target: "local/new"), dimension: 2)
        let taken = try await f.store.write { try $0.takeForSpace(space.id, limit: 3) }
        let vectors = try taken.map { ($0.id, $0.version, try MemoryVector.of($0.text, dimension: 2)) }
        _ = try await f.store.write { try $0.add(vectors.map { (memoryID: $0.0, version: $0.1, vector: $0.2) }, to: space.id) }
        _ = try await f.store.memories.forget([1])
        try await f.remember(["text 1"]) { $0.importance = 0.9 }
        try await f.remember(["keyed anew"]) { $0.key = "k" }
    }

    @Test(arguments: [
        ("UPDATE counters SET value = value + 1 WHERE name = 'memories'", "a count of memories is wrong: name \"memories\""),
        ("UPDATE counters SET value = 0 WHERE name = 'memory_bytes'", "a count of memories is wrong: name \"memory_bytes\", value 0"),
        ("UPDATE namespaces SET memories = 7", "a namespace's count is wrong: id 1, kept 7, found 9"),
        ("UPDATE namespaces SET bytes = 7", "a namespace's count is wrong: id 1"),
        ("DELETE FROM memories WHERE id = 10", "a namespace's count is wrong: id 1, kept 9, found 8"),
        ("UPDATE namespaces SET space_id = 2", "a namespace is searched by vectors that are not its own: id 1, space_id 2"),
        ("UPDATE namespaces SET space_id = NULL", "vectors that are current are not searched: id 1"),
        ("UPDATE memory_spaces SET state = 'building'", "a namespace is embedded again twice at once: namespace_id 1"),
        ("UPDATE memory_spaces SET live = 5 WHERE id = 2", "a count of vectors that are being made is wrong: id 2, kept 5, found 2"),
        ("INSERT INTO memory_entries VALUES (99, 2, 1)", "a vector is noted for a memory that is gone: memory_id 99"),
        ("UPDATE counters SET value = 3 WHERE name = 'memory'", "a memory's number is ahead of its counter"),
        ("UPDATE memory_changes SET number = 999 WHERE memory_id = 2", "a change of a memory is not the memory's own: memory_id 2"),
        ("UPDATE namespaces SET words_to = 99", "the index of words is ahead of the memories: id 1, words_to 99"),
        ("DELETE FROM memory_words_docsize WHERE id = 3", "a memory's words are not in the index: id 3"),
        ("UPDATE namespaces SET words_to = 5", "the index of words holds a memory that is not there: id 6"),
        ("UPDATE namespaces SET digested_to = 99", "a memory's digest is not in its index: id 2"),
        ("INSERT INTO memory_digests VALUES (1, 5, 3)", "the index of digests holds a memory that is not there: memory_id 3"),
        ("UPDATE memories SET digest = NULL WHERE id = 3", "a memory has a key and a digest, or neither: id 3"),
        ("INSERT INTO memory_vectors VALUES (77, x'00000000')", "vectors belong to no block: block_id 77"),
        ("DELETE FROM memory_vectors WHERE block_id = (SELECT min(id) FROM memory_blocks)", "a block has not the bytes of its entries"),
        ("DELETE FROM memory_codes", "a block has not the bytes of its entries"),
        ("UPDATE memory_codes SET codes = CAST(codes || x'80' AS BLOB)", "a block has not the bytes of its entries"),
        ("UPDATE memory_blocks SET last = last + 1 WHERE entries = 8", "a block's numbers are not its own"),
        ("UPDATE memory_blocks SET dead = 0", "a block's count of dead entries is wrong"),
        ("UPDATE memory_changes SET dead = 9 WHERE memory_id = 2", "a memory's count of dead entries is wrong: id 2, kept 9, found 2"),
        ("DELETE FROM memory_changes", "a memory's count of dead entries is wrong: id 1, kept 0, found 2"),
        ("UPDATE memories SET importance = 0.1 WHERE id = 4", "an entry is not as its memory: memory 4"),
        ("UPDATE memories SET expires_at = 5 WHERE id = 4", "an entry is not as its memory: memory 4"),
        ("UPDATE memories SET entry = NULL WHERE id = 4", "memories lack their vector, or have two: space 1, expected 7, found 8"),
        ("UPDATE memories SET entry = version + 1 WHERE id = 10", "memories lack their vector, or have two: space 1, expected 9, found 8"),
        (
            "UPDATE memory_codes SET codes = CAST(zeroblob(length(codes)) AS BLOB) WHERE block_id = (SELECT min(id) FROM memory_blocks)",
            "an entry's codes are not those of its vector"
        ),
        (
            "UPDATE memory_vectors SET vectors = CAST(x'0000c07f' || substr(vectors, 5) AS BLOB) WHERE block_id = (SELECT min(id) FROM memory_blocks)",
            "an entry's codes are not those of its vector"
        ),
        ("UPDATE memories SET namespace_id = 5 WHERE id = 4", "a row of memories names a namespaces that does not exist"),
    ])
    func aPlantedFaultIsFound(_ sql: String, _ sentence: String) async throws {
        try await withFolder { folder in
            try await withStore { f in
                try await fill(f)
                try f.store.maintenance.backup(to: folder + "/copy.db")
            }
            let raw = try RawConnection(folder + "/copy.db")
            let store = try QueueStore(path: folder + "/copy.db", options: StoreOptions(durability: .normal))
            defer { store.close() }
            #expect(try store.maintenance.check().faults == [])
            try raw.run("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; " + sql)
            let faults = try store.maintenance.check().faults
            #expect(faults.contains { $0.hasPrefix(sentence) }, "\(faults)")
        }
    }

    /// A damaged block ends a search in one sentence, not in a crash.
    @Test func aDamagedBlockIsReported() async throws {
        try await withFolder { folder in
            try await withStore { f in
                try await fill(f)
                try f.store.maintenance.backup(to: folder + "/copy.db")
            }
            let raw = try RawConnection(folder + "/copy.db")
            try raw.run("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; UPDATE memory_vectors SET vectors = x'00'")
            let store = try QueueStore(path: folder + "/copy.db", options: StoreOptions(durability: .normal))
            defer { store.close() }
            func vectors() throws {
                try store.memories.withSnapshot { snapshot in
                    guard let space = try snapshot.namespace(named: "notes")?.space else { return }
                    try snapshot.vectors(snapshot.numbers(of: [5], in: space).map(\.number), of: space) { _, _ in }
                }
            }
            #expect(await storeError { try vectors() }?.kind == .corrupt)
            try raw.run("DELETE FROM memory_vectors")
            #expect(await storeError { try vectors() }?.kind == .corrupt)
            try raw.run("UPDATE memories SET metadata = '{'")
            #expect(await storeError { _ = try store.memories.list(in: "notes", after: 0, limit: 9) }?.kind == .corrupt)
        }
    }

    /// The statements that a connection has prepared and that name a table of memories.
    private static func plans(_ f: Fixture, _ statements: [String]) throws -> [(sql: String, plan: [String])] {
        let raw = try f.raw()
        return try statements.filter { $0.contains("memor") }.map { ($0, try raw.rows("EXPLAIN QUERY PLAN " + $0).compactMap(\.last)) }
    }

    @Test func nothingWalksThroughMemories() async throws {
        try await withStore { f in
            try await fill(f)
            let space = try #require(try f.namespace().building)
            _ = try await f.store.memories.retakeMissing(in: space.id)
            _ = try await f.store.memories.finishSpace(space.id)
            _ = try await f.store.memories.beginSpace(in: "notes", model: VectorModel(target: "local/third"), dimension: 2)
            let policy = PrunePolicy(
                completed: .max / 4, cancelled: .max / 4, discarded: .max / 4, memories: MemoryPolicy(maxBytes: 1_500), shrinks: false)
            _ = try await f.store.maintenance.prune(policy)
            f.clock.wall += 10_000_000
            try await f.store.maintenance.compactMemory()
            try await f.remember(["other"], in: "other")
            _ = try await f.store.memories.forgetNamespace("other")
            let writing = try await f.store.write { PreparedStatements.texts($0.connection.handle) }
            let allowed = ["SCAN namespaces", "SCAN memory_spaces", "SCAN memory_changes USING INDEX memory_changes_settled"]
            var seen = 0
            for (sql, plan) in try Self.plans(f, writing) {
                seen += 1
                let walks = plan.filter { step in step.contains("SCAN") && !allowed.contains { step.hasPrefix($0) } }
                #expect(walks.isEmpty && !plan.contains { $0.contains("TEMP B-TREE") }, "\(sql): \(plan)")
            }
            #expect(seen > 40)
        }
    }
}
