import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// What is no memory is refused in one sentence, and nothing of its batch is stored.
@Suite struct MemoryRefusalTests {
    private func refusal(_ memory: NewMemory, in namespace: String = "notes", model: VectorModel? = .test) async throws -> String {
        var message = ""
        try await withStore { f in
            let batch = [NewMemory("fine", vector: try .of("fine")), memory]
            let error = await storeError { _ = try await f.store.memories.remember(batch, in: namespace, model: model) }
            #expect(error?.kind == .conflict)
            message = error?.message ?? ""
            #expect(try f.raw().int("SELECT (SELECT count(*) FROM memories) + (SELECT count(*) FROM namespaces)") == 0)
            #expect(try f.store.memories.withSnapshot { try $0.latestNumber() } == 0)
        }
        return message
    }

    @Test func texts() async throws {
        let long = NewMemory(String(repeating: "é", count: 1 << 19) + "x")
        #expect(try await refusal(long) == "memory 2: the text is longer than 1 MiB")
        #expect(try await refusal(NewMemory("")) == "memory 2: it has neither a text nor a vector")
    }

    @Test(arguments: [-0.1, 1.01, .nan, .infinity])
    func importance(_ value: Double) async throws {
        #expect(try await refusal(NewMemory("x", importance: value)) == "memory 2: the importance must be between 0 and 1")
    }

    @Test(arguments: ["", String(repeating: "k", count: 513), "a\nb", "a\0", "\u{9B}31m", "\u{2028}"])
    func keys(_ key: String) async throws {
        #expect(try await refusal(NewMemory("x", key: key)) == "memory 2: a key has 1 to 512 characters, and no control characters")
    }

    @Test(arguments: [[1], "text", 1, true] as [JSONValue])
    func metadata(_ value: JSONValue) async throws {
        #expect(try await refusal(NewMemory("x", metadata: value)).hasPrefix("memory 2: the metadata must be a JSON object, not a"))
    }

    @Test(arguments: ["", String(repeating: "n", count: 129), "a\tb", "a\0b"])
    func namespaces(_ name: String) async throws {
        let message = try await refusal(NewMemory("x"), in: name)
        #expect(message == "a namespace's name has 1 to 128 characters, and no control characters")
    }

    @Test func vectors() async throws {
        let other = NewMemory("x", vector: try .of("x", dimension: 5))
        #expect(try await refusal(other) == "memory 2: its vector has 5 values, the first one's 4")
        #expect(try await refusal(NewMemory("x"), model: nil) == "vectors are stored with the name of what made them")
    }

    @Test func tooMany() async throws {
        try await withStore { f in
            let many = [NewMemory](repeating: NewMemory("x"), count: 10_001)
            #expect(await storeError { _ = try await f.store.memories.remember(many, in: "notes", model: nil) }?.kind == .conflict)
            let none = try await f.store.memories.remember([], in: "notes", model: nil)
            #expect(none == [])
        }
    }

    @Test func theLongestAreTaken() async throws {
        try await withStore { f in
            let key = String(repeating: "🔑", count: 512)
            let name = String(repeating: "n", count: 128)
            let text = String(repeating: "x", count: 1 << 20)
            let vector = try MemoryVector.of("x", dimension: 4_096)
            let memory = NewMemory(text, key: key, metadata: [:], vector: vector)
            #expect(try await f.store.memories.remember([memory], in: name, model: .test).map(\.id) == [1])
            #expect(try f.memory(1)?.text == text && f.memory(1)?.key == key && f.memory(1)?.metadata == [:])
        }
    }

    /// What fails in the middle of the transaction leaves nothing, and the next goes well.
    @Test func aBatchThatFailsMidwayLeavesNothing() async throws {
        try await withStore { f in
            try await f.remember(["one"])
            let raw = try f.raw()
            let tables = ["memories", "namespaces", "memory_blocks", "memory_codes", "memory_changes", "counters"]
            func rows() throws -> [[[String]]] { try tables.map { try raw.rows("SELECT * FROM \($0) ORDER BY 1") } }
            let before = try rows()
            // The last thing that a batch writes is refused.
            try raw.run("ALTER TABLE memory_vectors RENAME TO hidden")
            #expect(await storeError { try await f.remember(["two", "three"]) } != nil)
            #expect(await storeError { try await f.remember(["one"]) { $0.key = "k" } } != nil)
            #expect(try rows() == before)
            try raw.run("ALTER TABLE hidden RENAME TO memory_vectors")
            #expect(try await f.remember(["two", "one"]).map(\.outcome) == [.stored, .duplicate])
        }
    }

    /// A refusal comes before any change, so that a transaction of more than that can go on.
    @Test func aConflictLeavesTheTransactionWhole() async throws {
        try await withStore { f in
            try await f.remember(["one"])
            let memories = [NewMemory("two", key: "k", vector: try .of("two", dimension: 9))]
            let message = try await f.store.write { transaction in
                _ = try transaction.remember([NewMemory("three")], in: "notes", model: nil)
                do {
                    _ = try transaction.remember(memories, in: "notes", model: .test)
                    return "nothing was thrown"
                } catch let error as StoreError {
                    return error.message
                }
            }
            let sentence = "namespace notes holds vectors of local/e with the prefix 'passage: ' (4 values), not of local/e with the prefix"
            #expect(message.hasPrefix(sentence), "\(message)")
            #expect(try f.store.memories.list(in: "notes", after: 0, limit: 9).map(\.text) == ["one", "three"])
        }
    }
}
