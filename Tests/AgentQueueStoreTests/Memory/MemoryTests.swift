import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// What is remembered, and what takes its place.
@Suite struct MemoryTests {
    @Test func whatIsRememberedIsThere() async throws {
        try await withStore { f in
            let outcomes = try await f.remember(["one", "two"]) { $0.metadata = ["b": 2, "a": ["x"]] }
            #expect(outcomes == [StoreOutcome(id: 1, outcome: .stored), StoreOutcome(id: 2, outcome: .stored)])
            let memory = try #require(try f.memory(2))
            #expect(memory.text == "two" && memory.namespace == "notes" && memory.importance == 0.5 && memory.createdAt == f.clock.wall)
            #expect(memory.metadata == ["a": ["x"], "b": 2] && memory.key == nil && memory.expiresAt == nil && memory.recalledAt == nil)
            let space = try #require(try f.namespace().space)
            #expect(space.model == .test && space.dimension == 4)
            try f.store.memories.withSnapshot { snapshot in
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
            #expect(try f.count(of: "memory_changes") == 0)
        }
    }

    @Test func aKeyIsTakenOver() async throws {
        try await withStore { f in
            try await f.remember(["old"]) { $0.key = "k" }
            let space = try #require(try f.namespace().space)
            var mirror = MirrorIndex()
            try f.store.memories.withSnapshot { snapshot in _ = try mirror.follow(space, in: snapshot) }
            let outcomes = try await f.remember(["new"]) { $0.key = "k" }
            #expect(outcomes == [StoreOutcome(id: 1, outcome: .updated)])
            #expect(try f.memory(1)?.text == "new")
            try f.store.memories.withSnapshot { snapshot in _ = try mirror.follow(space, in: snapshot) }
            let new = try MemoryVector.of("new")
            #expect(mirror.entries.count == 1 && mirror.codes[1] == new.codes)
            #expect(try await f.remember(["new"]) { $0.key = "k" } == [StoreOutcome(id: 1, outcome: .duplicate)])
            #expect(try await f.store.memories.forget([1, 2]) == 1)
            try f.store.memories.withSnapshot { snapshot in _ = try mirror.follow(space, in: snapshot) }
            #expect(mirror.entries.isEmpty)
        }
    }

    @Test func wordsAreFound() async throws {
        try await withStore { f in
            try await f.remember(["The office closes at six", "The shop opens at nine", "Café au lait"])
            let id = try f.namespace().id
            func find(_ words: String...) throws -> [Int64] {
                try f.store.memories.withSnapshot { try $0.words(words, in: id, limit: 10).map(\.id) }
            }
            #expect(try f.store.memories.withSnapshot { try $0.lacksWords(id) })
            #expect(try find("office") == [])
            try await f.store.memories.indexWords(of: id)
            #expect(try !f.store.memories.withSnapshot { try $0.lacksWords(id) })
            #expect(try find("OFFICE") == [1] && find("opens", "office") == [1, 2] && find("cafe") == [3])
            #expect(try await f.store.memories.forget([1]) == 1)
            #expect(try find("office") == [])
        }
    }

    @Test func anotherModelIsRefused() async throws {
        try await withStore { f in
            try await f.remember(["one"])
            let other = VectorModel(target: "local/f")
            let error = await storeError {
                _ = try await f.store.memories.remember([NewMemory("two", vector: .of("two"))], in: "notes", model: other)
            }
            #expect(error?.kind == .conflict)
            #expect(error?.message.contains("embed this one again with that model") == true, "\(error?.message ?? "")")
            #expect(await storeError { try await f.remember(["two"], dimension: 5) }?.kind == .conflict)
            #expect(try f.namespace().memories == 1)
        }
    }

    @Test func aNamespaceIsForgotten() async throws {
        try await withStore { f in
            try await f.remember((0..<450).map { "text \($0)" })
            try await f.store.memories.indexWords(of: f.namespace().id)
            try await f.remember(["other"], in: "other")
            #expect(try await f.store.memories.forgetNamespace("notes") == 450)
            #expect(try f.store.memories.withSnapshot { try $0.namespaces().map(\.name) } == ["other"])
            for table in ["memories", "memory_blocks", "memory_codes", "memory_vectors", "memory_spaces", "memory_words_docsize"] {
                let count = table == "memory_words_docsize" ? 0 : 1
                #expect(try f.raw().int("SELECT count(*) FROM \(table)") == Int64(count), "\(table)")
            }
        }
    }

    // MARK: Finding duplicates

    /// Many batches, until their digests are in the index, from two processes by turns: each duplicate is found wherever its digest is.
    @Test func duplicatesAreFoundAmongTheNewestAndAmongTheOld() async throws {
        try await withStore(durability: .normal) { f in
            let other = try f.another()
            defer { other.close() }
            let stores = [f.store, other]
            for store in stores { try await store.write { $0.leastTail = 300 } }
            func memories(_ numbers: [Int]) throws -> [NewMemory] {
                try numbers.map { NewMemory("text \($0)", vector: try .of("\($0)")) }
            }
            for round in 0..<30 {
                let numbers = (0..<50).map { round * 50 + $0 }
                let outcomes = try await stores[round % 2].memories.remember(memories(numbers), in: "notes", model: .test)
                #expect(outcomes.map(\.id) == numbers.map { Int64($0 + 1) })
                let earlier = (0..<20).map { _ in Int.random(in: 0..<(round + 1) * 50) }
                let again = try await stores[(round + round / 3) % 2].memories.remember(memories(earlier), in: "notes", model: .test)
                #expect(again == earlier.map { StoreOutcome(id: Int64($0 + 1), outcome: .duplicate) })
                let known = try f.store.memories.known(memories(earlier + [9_999]), in: "notes", model: .test)
                let expected: [Int64?] = earlier.map { Int64($0 + 1) }
                #expect(known.dropLast() == expected[...] && known.last == .some(nil))
            }
            let digested = try #require(try f.raw().int("SELECT digested_to FROM namespaces"))
            #expect(digested > 600 && digested < 1_500, "\(digested)")
        }
    }

    /// What a transaction that failed had stored is not taken for there, although the next memory has its id.
    @Test func aFailedTransactionLeavesNoDigests() async throws {
        try await withStore { f in
            try await f.remember(["one"])
            let failing = try [NewMemory("two", vector: .of("two")), NewMemory("three", vector: .of("three"))]
            for _ in 0..<3 {
                let error = await storeError {
                    try await f.store.write { (transaction) -> Void in
                        _ = try transaction.remember(failing, in: "notes", model: .test)
                        throw StoreError(.conflict, "on purpose")
                    }
                }
                #expect(error?.message == "on purpose")
            }
            #expect(try await f.remember(["three", "two"]).map(\.outcome) == [.stored, .stored])
            #expect(try await f.remember(["one", "two", "three"]).map(\.id) == [1, 3, 2])
        }
    }

    @Test func whatTheUserBringsIsComparedByItsVector() async throws {
        try await withStore { f in
            let brought = VectorModel(target: VectorModel.brought)
            func remember(_ text: String, _ seed: String?, key: String? = nil) async throws -> StoreOutcome? {
                let memory = NewMemory(text, key: key, vector: try seed.map { try .of($0) })
                return try await f.store.memories.remember([memory], in: "own", model: brought).first
            }
            #expect(try await remember("x", "a") == StoreOutcome(id: 1, outcome: .stored))
            #expect(try await remember("x", "b") == StoreOutcome(id: 2, outcome: .stored))
            #expect(try await remember("x", "a") == StoreOutcome(id: 1, outcome: .duplicate))
            #expect(try await remember("", "a") == StoreOutcome(id: 3, outcome: .stored))
            #expect(try await remember("", "a") == StoreOutcome(id: 3, outcome: .duplicate))
            #expect(try await remember("y", "a", key: "k") == StoreOutcome(id: 4, outcome: .stored))
            #expect(try await remember("y", "a", key: "k") == StoreOutcome(id: 4, outcome: .duplicate))
            #expect(try await remember("y", "b", key: "k") == StoreOutcome(id: 4, outcome: .updated))
            #expect(try await remember("y", nil, key: "k") == StoreOutcome(id: 4, outcome: .duplicate))
            let space = try #require(try f.namespace("own").space)
            let vector = try MemoryVector.of("b")
            try f.store.memories.withSnapshot { snapshot in
                let number = try #require(try snapshot.numbers(of: [4], in: space).first?.number)
                try snapshot.vectors([number], of: space) { #expect(Array($1) == vector.bytes) }
            }
        }
    }

    @Test func aDuplicateRenews() async throws {
        try await withStore { f in
            let now = f.clock.wall
            func expiry(_ id: Int64) throws -> Int64? { try f.memory(id)?.expiresAt.map { $0 - now } }
            try await f.remember(["a"]) { $0.expiresAt = now + 100 }
            try await f.remember(["a"]) { $0.expiresAt = now + 50 }
            #expect(try expiry(1) == 100, "the later of both")
            try await f.remember(["a"]) { $0.expiresAt = now + 150 }
            #expect(try expiry(1) == 150)
            try await f.remember(["a"])
            #expect(try expiry(1) == nil)
            try await f.remember(["k"]) {
                $0.key = "k"
                $0.expiresAt = now + 100
            }
            try await f.remember(["k"]) {
                $0.key = "k"
                $0.expiresAt = now + 50
                $0.importance = 0.75
            }
            #expect(try expiry(2) == 50, "a key's memory is as it was given last")
            #expect(try f.memory(2)?.importance == 0.75)
            // One without a vector gets it.
            _ = try await f.store.memories.remember([NewMemory("words")], in: "notes", model: nil)
            #expect(try f.store.memories.known([NewMemory("words")], in: "notes", model: .test) == [nil])
            #expect(try await f.remember(["words"]) == [StoreOutcome(id: 3, outcome: .duplicate)])
            #expect(try f.store.memories.known([NewMemory("words")], in: "notes", model: .test) == [3])
            // What has expired is not there: it is stored anew.
            f.clock.wall += 50
            #expect(try f.store.memories.known([NewMemory("k", key: "k")], in: "notes", model: .test) == [nil])
            let anew = try await f.remember(["k"]) { $0.key = "k" }
            #expect(anew == [StoreOutcome(id: 4, outcome: .stored)])
            #expect(try f.memory(2) == nil && f.namespace().memories == 3)
        }
    }

    /// Texts are the same by their bytes: what only looks alike is another.
    @Test func textsAreComparedByTheirBytes() async throws {
        try await withStore { f in
            let outcomes = try await f.remember(["caf\u{E9}", "cafe\u{301}", "x\0y", "x\0z", "x"])
            #expect(outcomes.map(\.outcome) == [.stored, .stored, .stored, .stored, .stored])
            #expect(try f.memory(4)?.text.unicodeScalars.count == 3)
            let meta = try await f.remember(["m", "m", "m"]) { $0.metadata = ["b": 1, "a": 1.0] }
            #expect(meta.map(\.id) == [6, 6, 6])
            let same = try await f.remember(["m"]) { $0.metadata = ["a": 1, "b": 1] }
            #expect(same.map(\.outcome) == [.duplicate])
        }
    }
}
