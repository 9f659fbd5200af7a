import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// The index of words.
@Suite struct MemoryWordTests {
    private func find(_ f: Fixture, _ words: [String], in namespace: String = "notes", limit: Int = 1_000) throws -> [Int64] {
        let id = try f.namespace(namespace).id
        return try f.store.memories.withSnapshot { try $0.words(words, in: id, limit: limit).map(\.id) }
    }

    private func index(_ f: Fixture, _ namespace: String = "notes") async throws {
        let id = try f.namespace(namespace).id
        try await f.store.memories.indexWords(of: id)
    }

    /// Words are data, whatever they look like.
    @Test(arguments: [
        "\"", "\"\"", "'; DROP TABLE memories; --", "*", "apple*", "NEAR(apple pear)", "apple OR pear", "AND", "NOT", "text : apple",
        "space:n1", "n1", "{text space}: x", "^apple", "-apple", "+", "(", ")", "\\", "\0", "ap\0ple", "🍎", "é", "%", "_", "",
        "apple\" OR \"pear", "\u{FEFF}", "\u{202E}",
    ])
    func hostileWordsAreWords(_ word: String) async throws {
        try await withStore { f in
            try await f.remember(["apple pie", "pear tart", "n2 is a token, space is not", word + " itself"])
            try await f.remember(["apple of another"], in: "other")
            try await index(f)
            try await index(f, "other")
            let alone = try find(f, [word])
            #expect(!alone.contains(5))
            // It adds what it finds alone, and takes nothing away.
            let both = try find(f, ["pie", word])
            #expect(Set(both) == Set(alone).union([1]))
            #expect(try f.store.maintenance.check().faults == [])
            _ = try await f.store.memories.forget([4])
        }
    }

    @Test func manyWordsAreCut() async throws {
        try await withStore { f in
            try await f.remember(["w1 first", "w70 last"])
            try await index(f)
            let words = (0..<200_000).map { "w\($0)" }
            #expect(try find(f, words) == [1])
            #expect(try find(f, words.reversed() + ["w1"]) == [])
            #expect(try find(f, [String](repeating: "w0", count: 1_000) + ["w70"]) == [2], "the same word counts once")
            #expect(try find(f, [String(repeating: "x ", count: 1 << 19), "w70"]) == [2])
            #expect(try find(f, []) == [])
        }
    }

    @Test func theBestComeFirst() async throws {
        try await withStore { f in
            try await f.remember([
                "a long text in which the word lighthouse stands once among very many other words that say nothing of it at all",
                "lighthouse lighthouse keeper", "the keeper", "nothing",
            ])
            try await index(f)
            #expect(try find(f, ["lighthouse"]) == [2, 1])
            #expect(try find(f, ["lighthouse", "keeper"]) == [2, 3, 1])
            #expect(try find(f, ["lighthouse", "keeper"], limit: 1) == [2])
            // Equal ones in the order of their ids.
            try await f.remember((0..<30).map { "same \(["x", "y", "z"][$0 % 3])" }) {
                $0.metadata = ["n": .integer(Int64($0.text.utf8.count))]
            }
            try await index(f)
            let same = try find(f, ["same"], limit: 3)
            #expect(same == same.sorted() && same.count == 3)
        }
    }

    /// Ranks are those of the whole index, whether the walk goes by the namespace's token or not.
    @Test func namespacesDoNotSeeEachOther() async throws {
        try await withStore { f in
            try await f.remember(["red apple", "red red apple", "green"])
            try await index(f)
            let id = try f.namespace().id
            func ranks() throws -> [Int64: Double] {
                try f.store.memories.withSnapshot { Dictionary(uniqueKeysWithValues: try $0.words(["red", "apple"], in: id, limit: 9)) }
            }
            #expect(Set(try ranks().keys) == [1, 2])
            try await f.remember((0..<40).map { "red apple \($0)" }, in: "other")
            let before = try ranks()
            try await index(f, "other")
            let after = try ranks()
            #expect(Set(after.keys) == [1, 2] && after != before, "by the token, and among more texts")
            #expect(try find(f, ["red"], in: "other").count == 40)
            #expect(try await f.store.memories.forgetNamespace("other") == 40)
            #expect(try ranks() == before)
        }
    }

    @Test func expiredAndChangedAreLeftOut() async throws {
        try await withStore { f in
            try await f.remember(["apple"]) { $0.expiresAt = f.clock.wall + 100 }
            try await f.remember(["pear"]) { $0.key = "k" }
            try await index(f)
            try await f.remember(["plum"]) { $0.key = "k" }
            #expect(try find(f, ["apple", "pear", "plum"]) == [1, 2])
            #expect(try find(f, ["pear"]) == [] && find(f, ["plum"]) == [2], "a change is in the index at once")
            f.clock.wall += 100
            #expect(try find(f, ["apple", "pear", "plum"]) == [2])
        }
    }

    @Test func manyAreIndexedInSlices() async throws {
        try await withStore(durability: .normal) { f in
            try await f.remember((0..<1_203).map { "text number\($0)" })
            let id = try f.namespace().id
            let reads = f.clock.wallReads
            try await f.store.memories.indexWords(of: id)
            #expect(f.clock.wallReads - reads >= 3)
            #expect(try find(f, ["number0", "number1202"]).count == 2)
            #expect(try !f.store.memories.withSnapshot { try $0.lacksWords(id) })
            try await f.remember((0..<6).map { String(repeating: "long\($0) ", count: 20_000) })
            #expect(try f.store.memories.withSnapshot { try $0.lacksWords(id) })
            try await f.store.memories.indexWords(of: id)
            #expect(try find(f, ["long5"]).count == 1)
        }
    }
}
