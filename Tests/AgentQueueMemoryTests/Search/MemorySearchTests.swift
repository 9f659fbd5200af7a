import AgentQueueMemory
import AgentQueueModel
import AgentQueueStore
import Testing

/// What a search finds, and in which order.
@Suite struct MemorySearchTests {
    /// Three directions in the plane, and one opposite.
    private func fill(_ f: SearchFixture) async throws {
        try await f.remember("east", [1, 0])
        try await f.remember("north-east", [1, 1])
        try await f.remember("north", [0, 3])
        try await f.remember("west", [-2, 0])
    }

    @Test(arguments: [
        (VectorMetric.cosine, ["east", "north-east", "north", "west"], [1, 0.5.squareRoot(), 0, -1]),
        // Dot products with (2, 1): 2, 3, 3, -4; of equal ones the older first.
        (.dot, ["north-east", "north", "east", "west"], [3, 3, 2, -4]),
        (.euclidean, ["north-east", "east", "north", "west"], [-1, -(2.0.squareRoot()), -(8.0.squareRoot()), -(17.0.squareRoot())]),
    ])
    func theNearestComeFirst(_ metric: VectorMetric, _ texts: [String], _ scores: [Double]) async throws {
        try await withSearch { f in
            try await fill(f)
            let hits = try await f.hits(.near(metric == .cosine ? [2, 0] : [2, 1]) { $0.metric = metric })
            #expect(hits.map(\.memory.text) == texts)
            for (hit, score) in zip(hits, scores) { #expect(abs(hit.score - score) < 1e-6 && hit.similarity == hit.score) }
            #expect(try await f.texts(.near([0, 1], limit: 2) { $0.metric = metric }).count == 2)
        }
    }

    @Test func aHitIsTheWholeMemory() async throws {
        try await withSearch { f in
            let id = try await f.remember("a", [1, 0]) {
                $0.key = "k"
                $0.metadata = ["topic": "x"]
                $0.importance = 0.25
                $0.createdAt = 17
                $0.expiresAt = f.now + 1
            }
            let memory = try #require(try await f.hits(.near([1, 0])).first).memory
            #expect(memory.id == id && memory.namespace == "notes" && memory.key == "k" && memory.metadata == ["topic": "x"])
            #expect(memory.importance == 0.25 && memory.createdAt == 17 && memory.expiresAt == f.now + 1)
            f.now += 1
            #expect(try await f.texts(.near([1, 0])) == [], "in the millisecond of its end it is not there")
        }
    }

    @Test func aLeastScoreIsOfNearness() async throws {
        try await withSearch { f in
            try await fill(f)
            #expect(try await f.texts(.near([1, 0]) { $0.minScore = 0.5 }) == ["east", "north-east"])
            #expect(try await f.texts(.near([1, 0]) { $0.minScore = 1 }) == ["east"])
            #expect(try await f.texts(.near([1, 0]) { $0.minScore = 1.01 }) == [])
            // What weighs more than nearness ranks first, and is not near enough all the same: others take its place.
            for place in 0..<30 { try await f.remember("heavy \(place)", [0, 1]) { $0.importance = 1 } }
            let query = MemoryQuery.near([1, 0], limit: 2) {
                $0.importanceWeight = 100
                $0.minScore = 0.5
            }
            #expect(try await f.texts(query) == ["east", "north-east"])
        }
    }

    @Test func severalNamespacesAreRankedTogether() async throws {
        try await withSearch { f in
            try await f.remember("a1", [1, 0], in: "a")
            try await f.remember("b1", [1, 0.1], in: "b")
            try await f.remember("a2", [1, 0.2], in: "a")
            try await f.remember("b2", [1, 0.3], in: "b")
            let answers = try await f.search.answer([
                .near([1, 0], in: ["a", "b", "a"], limit: 3), .near([1, 0], in: ["b"]), .near([1, 0.22], in: ["b", "a"], limit: 1),
            ])
            #expect(answers.map { $0.hits.map(\.memory.text) } == [["a1", "b1", "a2"], ["b1", "b2"], ["a2"]])
            #expect(answers.map { $0.reports.map(\.namespace) } == [["a", "b"], ["b"], ["b", "a"]])
            #expect(answers[0].hits.map(\.memory.namespace) == ["a", "b", "a"])
            #expect(try await f.texts(.words("a1 b2", in: ["a", "b"])).sorted() == ["a1", "b2"])
        }
    }

    @Test func aReportTellsHowItWent() async throws {
        try await withSearch { f in
            try await fill(f)
            let first = try await f.search.answer([.near([1, 0]) { $0.createdAfter = f.now }])[0].reports[0]
            #expect(first.isRebuilt && first.followed == (4, 0) && first.passed == 4 && first.scan?.scanned == 4)
            try await f.remember("new", [0, 1])
            let key = try await f.remember("late", [1, 1]) { $0.key = "k" }
            #expect(try await f.store.memories.forget([key]) == 1)
            let second = try await f.search.answer([.near([1, 0])])[0].reports[0]
            #expect(!second.isRebuilt && second.followed == (1, 0) && second.passed == nil && second.scan?.scanned == 5)
            #expect(try await f.store.memories.forget([1]) == 1)
            #expect(try await f.search.answer([.near([1, 0])])[0].reports[0].followed == (0, 1))
            #expect(try await f.search.answer([.words("north")])[0].reports[0].scan == nil)
        }
    }

    @Test func anEmptyNamespaceAnswersNothing() async throws {
        try await withSearch { f in
            let id = try await f.remember("a", [1, 0])
            #expect(try await f.store.memories.forget([id]) == 1)
            #expect(try await f.texts(.near([1, 0])) == [])
            try await f.remember("only words", nil, in: "plain")
            #expect(try await f.store.memories.forget(f.hits(.words("words", in: ["plain"])).map(\.memory.id)) == 1)
            #expect(try await f.texts(.near([1, 0], in: ["plain"])) == [])
            #expect(try await f.texts(.words("words", in: ["plain"])) == [])
        }
    }

    @Test func whatCannotBeSearchedIsSaid() async throws {
        try await withSearch { f in
            try await f.remember("a", [1, 0])
            try await f.remember("plain", nil, in: "plain")
            try await f.remember("wide", [1, 0, 0], in: "wide")
            _ = try await f.store.memories.remember(
                [NewMemory("b", vector: MemoryVector([1, 0]))], in: "other", model: VectorModel(target: "local/f"))
            let near = { (vector: [Float], names: [String]) in
                MemoryQuery(namespaces: names, vector: vector)
            }
            let table: [(MemoryQuery, String)] = [
                (near([1, 0], []), "name a namespace to search"),
                (near([1, 0], ["note"]), "there is no namespace 'note' (did you mean 'notes'?)"),
                (near([1, 0], ["notes", "nothing\u{7}like it"]), "there is no namespace 'nothing\\u{7}like it'"),
                (.words("x", in: ["Plain"]), "there is no namespace 'Plain' (did you mean 'plain'?)"),
                (near([1, 0], ["plain"]), "namespace 'plain' holds no vectors: search it by its words (--mode words)"),
                (near([1, 0], ["wide"]), "namespace 'wide' holds vectors of 3 values, made by 'local/e', and the query's has 2"),
                (near([], ["notes"]), "namespace 'notes' holds vectors of 2 values, made by 'local/e', and the query's has 0"),
                (
                    near([1, 0], ["notes", "other"]),
                    "namespaces 'notes' and 'other' hold vectors of two models, 'local/e' and 'local/f', which cannot be compared with one "
                        + "vector: search them one by one"
                ),
                (near([0, 0], ["notes"]), "the vector has no direction: it is all zeros, or too long or short for Float32"),
                (near([.nan, 0], ["notes"]), "value 1 of the vector is not a finite number"),
                (near([1, -.infinity], ["notes"]), "value 2 of the vector is not a finite number"),
                (MemoryQuery(namespaces: ["notes"], text: "a"), "a search by nearness needs a vector"),
                (.near([1, 0], limit: 0), "a search finds 1 to 10000 memories, not 0"),
                (.near([1, 0], limit: 10_001), "a search finds 1 to 10000 memories, not 10001"),
                (.near([1, 0]) { $0.recencyWeight = -1 }, "the weight of recency is 0 to 1000, not -1.0"),
                (.near([1, 0]) { $0.importanceWeight = .nan }, "the weight of importance is 0 to 1000, not nan"),
                (.near([1, 0]) { $0.recencyHalfLife = 0 }, "a half-life is more than nothing"),
                (.near([1, 0]) { $0.minImportance = 1.5 }, "an importance is 0 to 1, not 1.5"),
                (.near([1, 0]) { $0.minScore = .infinity }, "a score is a finite number"),
                (.near([1, 0]) { $0.relevance = 1.5 }, "the share of relevance is 0 to 1, not 1.5"),
                (
                    .near([1, 0], limit: 1_001) { $0.relevance = 1 }, "diversity is worked out for at most 1000 memories, not 1001"
                ),
                (.near([1, 0]) { $0.mode = .words }, "a search by words needs a text"),
                (.near([1, 0]) { $0.mode = .hybrid }, "a search by words needs a text"),
                (
                    .words("a") { $0.mode = .hybrid }, "a search by nearness needs a vector: namespace 'notes' holds those of 'local/e'"
                ),
                (.words("a") { $0.minScore = 0 }, "a least nearness asks for vectors: words have no such score"),
                (.words("a") { $0.relevance = 0 }, "diversity asks for vectors: it does not go with words alone"),
                (.words("a") { $0.recencyWeight = 1 }, "weights count against nearness: they do not go with words alone"),
            ]
            for (query, sentence) in table { #expect(await f.error(query) == sentence) }
        }
        try await withSearch { f in
            #expect(await f.error(.near([1, 0])) == "there is no namespace 'notes' (there is none yet)")
        }
    }
}
