import JobModel
import Testing

@testable import QueueStore

/// What is remembered, and what takes its place.
@Suite struct MemoryTests {
    @Test func whatIsRememberedIsThere() async throws {
        try await withStore { f in
            let outcomes = try await f.remember(["one", "two"]) { $0.metadata = ["b": 2, "a": ["x"]] }
            #expect(outcomes == [Remembered(id: 1, outcome: .stored), Remembered(id: 2, outcome: .stored)])
            let memory = try #require(try f.memory(2))
            #expect(memory.text == "two" && memory.namespace == "notes" && memory.importance == 0.5 && memory.createdAt == f.clock.wall)
            #expect(memory.metadata == ["a": ["x"], "b": 2] && memory.key == nil && memory.expiresAt == nil && memory.recalledAt == nil)
            let space = try #require(try f.namespace().space)
            #expect(space.model == .test && space.dimension == 4)
            try f.store.readMemories { snapshot in
                var mirror = MirrorIndex()
                try mirror.follow(space, in: snapshot)
                #expect(mirror.entries.count == 2)
                let entry = try #require(mirror.entries[2])
                let vector = try MemoryVector.of("two")
                #expect(entry.scale == vector.scale && entry.error == vector.error && entry.norm == vector.norm)
                #expect(entry.expiresAt == .max && entry.createdAt == f.clock.wall && entry.importance == 0.5)
                #expect(mirror.codes[2] == vector.codes)
                var found: [Int: [UInt8]] = [:]
                try snapshot.vectors([1, entry.number, 99], of: space) { found[$0] = Array($1) }
                #expect(found == [1: vector.bytes])
            }
        }
    }

    @Test func theSameAgainIsADuplicate() async throws {
        try await withStore { f in
            let first = try await f.remember(["one", "two"])
            let again = try await f.remember(["two", "three", "one", "three"])
            #expect(again.map(\.id) == [first[1].id, 3, first[0].id, 3])
            #expect(again.map(\.outcome) == [.duplicate, .stored, .duplicate, .duplicate])
            #expect(try f.namespace().memories == 3)
            #expect(try f.raw().int("SELECT count(*) FROM memory_changes") == 0)
        }
    }

    @Test func aKeyIsTakenOver() async throws {
        try await withStore { f in
            try await f.remember(["old"]) { $0.key = "k" }
            let space = try #require(try f.namespace().space)
            var mirror = MirrorIndex()
            try f.store.readMemories { snapshot in _ = try mirror.follow(space, in: snapshot) }
            let outcomes = try await f.remember(["new"]) { $0.key = "k" }
            #expect(outcomes == [Remembered(id: 1, outcome: .updated)])
            #expect(try f.memory(1)?.text == "new")
            try f.store.readMemories { snapshot in _ = try mirror.follow(space, in: snapshot) }
            let new = try MemoryVector.of("new")
            #expect(mirror.entries.count == 1 && mirror.codes[1] == new.codes)
            #expect(try await f.remember(["new"]) { $0.key = "k" } == [Remembered(id: 1, outcome: .duplicate)])
            #expect(try await f.store.forget([1, 2]) == 1)
            try f.store.readMemories { snapshot in _ = try mirror.follow(space, in: snapshot) }
            #expect(mirror.entries.isEmpty)
        }
    }

    @Test func wordsAreFound() async throws {
        try await withStore { f in
            try await f.remember(["The office closes at six", "The shop opens at nine", "Café au lait"])
            let id = try f.namespace().id
            func find(_ words: String...) throws -> [Int64] {
                try f.store.readMemories { try $0.words(words, in: id, limit: 10).map(\.id) }
            }
            #expect(try f.store.readMemories { try $0.lacksWords(id) })
            #expect(try find("office") == [])
            try await f.store.indexWords(of: id)
            #expect(try !f.store.readMemories { try $0.lacksWords(id) })
            #expect(try find("OFFICE") == [1] && find("opens", "office") == [1, 2] && find("cafe") == [3])
            #expect(try await f.store.forget([1]) == 1)
            #expect(try find("office") == [])
        }
    }

    @Test func anotherModelIsRefused() async throws {
        try await withStore { f in
            try await f.remember(["one"])
            let other = VectorModel(target: "local/f")
            let error = await storeError {
                _ = try await f.store.remember([NewMemory("two", vector: .of("two"))], in: "notes", model: other)
            }
            #expect(error?.kind == .conflict)
            #expect(error?.message.contains("agent-queue memory reembed notes") == true, "\(error?.message ?? "")")
            #expect(await storeError { try await f.remember(["two"], dimension: 5) }?.kind == .conflict)
            #expect(try f.namespace().memories == 1)
        }
    }

    @Test func aNamespaceIsForgotten() async throws {
        try await withStore { f in
            try await f.remember((0..<450).map { "text \($0)" })
            try await f.store.indexWords(of: f.namespace().id)
            try await f.remember(["other"], in: "other")
            #expect(try await f.store.forgetNamespace("notes") == 450)
            #expect(try f.store.readMemories { try $0.namespaces().map(\.name) } == ["other"])
            for table in ["memories", "memory_blocks", "memory_codes", "memory_vectors", "memory_spaces", "memory_words_docsize"] {
                let count = table == "memory_words_docsize" ? 0 : 1
                #expect(try f.raw().int("SELECT count(*) FROM \(table)") == Int64(count), "\(table)")
            }
        }
    }
}
