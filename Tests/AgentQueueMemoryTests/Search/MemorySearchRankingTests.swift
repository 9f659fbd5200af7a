import AgentQueueModel
import AgentQueueStore
import Testing

@testable import AgentQueueMemory

/// Weights, words, both rankings in one, and variety: each worked out by hand.
@Suite struct MemorySearchRankingTests {
    @Test func recencyHalvesWithAge() async throws {
        try await withSearch { f in
            let day: Int64 = 86_400_000
            for (text, age, vector) in [
                ("new", 0, [0.6, 0.8]), ("a half-life old", 7 * day, [0.8, 0.6]), ("old", 70 * day, [1, 0]),
                ("from tomorrow", -day, [0, 1]),
            ] as [(String, Int64, [Float])] {
                try await f.remember(text, vector) { $0.createdAt = f.now - age }
            }
            func scores(_ weight: Double, _ halfLife: Int64 = 7 * day) async throws -> [String: Double] {
                let hits = try await f.hits(
                    .near([1, 0]) {
                        $0.recencyWeight = weight
                        $0.recencyHalfLife = halfLife
                    })
                #expect(hits.map(\.score) == hits.map(\.score).sorted(by: >))
                return Dictionary(uniqueKeysWithValues: hits.map { ($0.memory.text, $0.score) })
            }
            let expected = ["new": 0.6 + 0.5, "a half-life old": 0.8 + 0.25, "old": 1 + 0.5 / 1_024, "from tomorrow": 0 + 0.5]
            for (text, score) in try await scores(0.5) { #expect(abs(score - (expected[text] ?? 9)) < 1e-6, "\(text)") }
            // An age without end counts nothing; the shortest half-life leaves what is new.
            let short = try await scores(1, 1)
            #expect(abs((short["new"] ?? 0) - 1.6) < 1e-6 && abs((short["old"] ?? 0) - 1) < 1e-6)
            #expect(try await f.hits(.near([1, 0]))[1].score == f.hits(.near([1, 0]))[1].similarity)
        }
    }

    @Test func importanceCountsInProportion() async throws {
        try await withSearch { f in
            try await f.remember("near", [1, 0]) { $0.importance = 0 }
            try await f.remember("weighty", [0.6, 0.8]) { $0.importance = 1 }
            #expect(try await f.texts(.near([1, 0]) { $0.importanceWeight = 0.3 }) == ["near", "weighty"])
            let hits = try await f.hits(.near([1, 0]) { $0.importanceWeight = 0.5 })
            #expect(hits.map(\.memory.text) == ["weighty", "near"])
            #expect(abs(hits[0].score - 1.1) < 1e-6 && abs((hits[0].similarity ?? 0) - 0.6) < 1e-6)
            #expect(try await f.texts(.near([1, 0]) { $0.minImportance = 0.5 }) == ["weighty"])
            #expect(try await f.texts(.near([1, 0]) { $0.minImportance = 1 }) == ["weighty"])
            #expect(try await f.texts(.near([1, 0]) { $0.minImportance = 0 }).count == 2)
        }
    }

    @Test func wordsAreFoundWhateverTheirNeighbours() async throws {
        try await withSearch { f in
            try await f.remember("The cat sat on the mat", nil)
            try await f.remember("A dog is not a cat; a dog is a dog", nil)
            try await f.remember("Ação, coração: não há cão", nil)
            #expect(try await f.texts(.words("dog?")) == ["A dog is not a cat; a dog is a dog"])
            #expect(try await f.texts(.words("CORACAO")) == ["Ação, coração: não há cão"])
            #expect(try await f.texts(.words("cat mat")).first == "The cat sat on the mat")
            #expect(try await f.texts(.words("cat mat")).count == 2)
            #expect(try await f.texts(.words("horse")) == [])
            // Words of the index's language are words like others; what holds none finds nothing.
            for hostile in ["\"", "NOT", "dog AND \" OR", "text:dog", "dog*", "( dog", "^dog", "a NEAR b", "", "?!", "\u{0}dog\u{0}"] {
                let texts = try await f.texts(.words(hostile))
                if hostile.contains("dog") { #expect(texts.contains("A dog is not a cat; a dog is a dog"), "\(hostile)") }
            }
            let hits = try await f.hits(.words("dog cat"))
            #expect(hits.map(\.score) == hits.map(\.score).sorted(by: >) && hits.allSatisfy { $0.similarity == nil && $0.score > 0 })
            // What is stored after the last search is found by the next.
            try await f.remember("horse", nil)
            #expect(try await f.texts(.words("horse")) == ["horse"])
        }
    }

    @Test func wordsObeyConditions() async throws {
        try await withSearch { f in
            for place in 0..<700 {
                try await f.remember("word \(place)", nil) {
                    $0.metadata = ["place": .integer(Int64(place))]
                    $0.importance = place == 699 ? 1 : 0.5
                    $0.createdAt = Int64(place)
                }
            }
            let filter = try Expression.parse("place >= 690")
            #expect(Set(try await f.texts(.words("word") { $0.filter = filter })) == Set((690..<700).map { "word \($0)" }))
            #expect(try await f.texts(.words("word") { $0.filter = .literal(false) }) == [])
            #expect(try await f.texts(.words("word") { $0.minImportance = 0.75 }) == ["word 699"])
            #expect(try await f.texts(.words("word") { $0.createdBefore = 1 }) == ["word 0"])
        }
    }

    @Test func bothRankingsAreFused() async throws {
        try await withSearch { f in
            // By nearness: one, two, three, four. By words ("apple"): three, five; and none of the others.
            let one = try await f.remember("one", [1, 0])
            let two = try await f.remember("two", [1, 0.1])
            let three = try await f.remember("three apple", [1, 0.2])
            let four = try await f.remember("four", [1, 0.3])
            let five = try await f.remember("five apple apple apple, and a great many words beside", nil)
            let query = MemoryQuery.near([1, 0]) {
                $0.mode = .hybrid
                $0.text = "apple"
            }
            let words = try await f.hits(.words("apple")).map(\.memory.id)
            #expect(Set(words) == [three, five])
            let hits = try await f.hits(query)
            func score(_ ranks: Int...) -> Double { ranks.reduce(0) { $0 + 1 / Double(60 + $1) } }
            let rank = try #require(words.firstIndex(of: three)) + 1
            var expected = [(one, score(1)), (two, score(2)), (three, score(3, rank)), (four, score(4)), (five, score(3 - rank))]
            expected.sort { ($0.1, $1.0) > ($1.1, $0.0) }
            #expect(hits.map(\.memory.id) == expected.map(\.0) && hits.map(\.score) == expected.map(\.1))
            #expect(hits[0].memory.id == three && hits[0].vectorRank == 3 && hits[0].wordRank == rank)
            let last = try #require(hits.first { $0.memory.id == five })
            #expect(last.similarity == nil && last.vectorRank == nil && last.wordRank == 3 - rank)
            #expect(hits.first { $0.memory.id == two }?.vectorRank == 2)
            // A least nearness is asked of the vectors alone.
            #expect(
                Set(
                    try await f.hits(
                        .near([1, 0]) {
                            $0.mode = .hybrid
                            $0.text = "apple"
                            $0.minScore = 0.999
                        }
                    ).map(\.memory.id)) == [one, three, five])
        }
    }

    @Test func aNamespaceWithoutVectorsAnswersBothByItsWords() async throws {
        try await withSearch { f in
            try await f.remember("an apple", nil)
            #expect(try await f.texts(.words("apple") { $0.mode = .hybrid }) == ["an apple"])
        }
    }

    @Test func ranksAreFusedByHand() {
        let found = RankFusion.fuse([7, 5, 3], [3, 9])
        #expect(found.map(\.id) == [3, 7, 5, 9])
        #expect(found[0] == .init(id: 3, score: 1.0 / 63 + 1.0 / 61, first: 3, second: 1))
        #expect(found[2] == .init(id: 5, score: 1.0 / 62, first: 2, second: nil))
        #expect(found[3].score == found[2].score, "of equal ones the smaller id comes first")
        #expect(RankFusion.fuse([], []) == [])
    }

    @Test func varietyIsPickedByHand() {
        let vectors: [[Float]] = [[1, 0], [0.995_004, 0.099_833], [0, 1], [-1, 0]]
        let candidates = zip([1, 0.99, 0.5, 0.2], vectors).map { Diversity.Candidate(relevance: $0, vector: $1) }
        func picked(_ relevance: Double, _ count: Int = 4) -> [Int] { Diversity(relevance: relevance).pick(count, of: candidates) }
        #expect(picked(1) == [0, 1, 2, 3])
        // After the first: 0.5 × 0.99 - 0.5 × 0.995 = -0.0025; 0.5 × 0.5 - 0 = 0.25; 0.5 × 0.2 + 0.5 = 0.6.
        // Then: -0.0025 stays; 0.25 against max(0, 0) stays. Last what is left.
        #expect(picked(0.5) == [0, 3, 2, 1])
        // Variety alone: of equals the first, then the opposite, then what is across.
        #expect(picked(0) == [0, 3, 2, 1])
        #expect(picked(0.5, 2) == [0, 3] && picked(0.5, 9).count == 4 && picked(0.5, 0) == [])
        // 0.9: the near copy at 0.891 - 0.0995 = 0.79 beats 0.45 and 0.28.
        #expect(picked(0.9) == [0, 1, 2, 3])
        #expect(Diversity(relevance: 0.5).pick(2, of: [.init(relevance: 1), .init(relevance: 0.5)]) == [0, 1])
    }

    @Test func answersAreVariedAcrossNamespaces() async throws {
        try await withSearch { f in
            try await f.remember("best", [1, 0, 0], in: "a")
            try await f.remember("copy", [1, 0.05, 0], in: "b")
            try await f.remember("other", [0.7, 0, 0.7], in: "b")
            for metric in VectorMetric.allCases {
                let query = MemoryQuery.near([1, 0, 0], in: ["a", "b"], limit: 2) {
                    $0.metric = metric
                    $0.relevance = 0.3
                }
                let hits = try await f.hits(query)
                #expect(hits.map(\.memory.text) == ["best", "other"], "\(metric)")
                #expect(try await f.texts(.near([1, 0, 0], in: ["a", "b"], limit: 2)) == ["best", "copy"])
            }
            let both = MemoryQuery.near([1, 0, 0], in: ["a", "b"], limit: 2) {
                $0.mode = .hybrid
                $0.text = "copy best other"
                $0.relevance = 0.3
            }
            #expect(try await f.texts(both) == ["best", "other"])
        }
    }
}
