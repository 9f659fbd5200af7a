import AgentQueueMemory
import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueStore

/// What one store has committed is found by the next search of another, and what it forgot is not.
@Suite struct MemorySearchFreshnessTests {
    @Test func whatAnotherStoredIsFoundAtOnce() async throws {
        try await withSearch { f in
            let other = try f.another()
            defer { other.close() }
            try await f.remember("the first", [-1, -1])
            for round in 0..<200 {
                let angle = Double(round) / 200
                let vector = [Float(1 - angle), Float(angle)]
                var memory = NewMemory("round \(round)", vector: try MemoryVector(vector))
                memory.key = "k\(round % 50)"
                let made = try await other.memories.remember([memory], in: "notes", model: SearchFixture.model)[0]
                let hit = try #require(try await f.hits(.near(vector, limit: 1)).first)
                #expect(hit.memory.id == made.id && hit.memory.text == "round \(round)" && hit.similarity ?? 0 > 0.999_999)
                #expect(made.outcome == (round < 50 || (round - 50) % 3 == 0 ? .stored : .updated))
                guard round % 3 == 0 else { continue }
                #expect(try await other.memories.forget([made.id]) == 1)
                #expect(try await f.hits(.near(vector)).allSatisfy { $0.memory.id != made.id })
            }
            // Of fifty keys, those live whose last round was not forgotten: no entry was found twice, or is left.
            let left = try await f.hits(.near([1, 1], limit: 1_000))
            let expected = Set((150..<200).filter { $0 % 3 != 0 }.map { "round \($0)" } + ["the first"])
            #expect(Set(left.map(\.memory.text)) == expected && left.count == expected.count)
        }
    }

    @Test func theIndexBeginsAnewWhereChangesAreNoLongerOnRecord() async throws {
        try await withSearch { f in
            let first = try await f.remember("first", [1, 0])
            let second = try await f.remember("second", [1, 0.1])
            #expect(try await f.texts(.near([1, 0])) == ["first", "second"])
            #expect(try await f.store.memories.forget([first]) == 1)
            try await f.remember("third", [1, 0.2])
            _ = try await f.store.write { transaction in
                try transaction.statement("UPDATE namespaces SET horizon = (SELECT value FROM counters WHERE name = 'memory')").run()
            }
            let answer = try await f.search.answer([.near([1, 0])])[0]
            #expect(answer.hits.map(\.memory.text) == ["second", "third"])
            #expect(answer.reports[0].isRebuilt && answer.reports[0].followed == (2, 0))
            #expect(try await f.store.memories.forget([second]) == 1)
            #expect(try await f.texts(.near([1, 0])) == ["third"])
        }
    }

    @Test func anotherModelsVectorsTakeThePlaceOfThoseBefore() async throws {
        try await withSearch { f in
            try await f.remember("east", [1, 0])
            let north = try await f.remember("north", [0, 1]) { $0.key = "k" }
            #expect(try await f.texts(.near([1, 0.1])) == ["east", "north"])
            let space = try await f.store.memories.beginSpace(in: "notes", model: VectorModel(target: "local/f"), dimension: 3)
            let taken = try await f.store.write { try $0.takeForSpace(space.id, limit: 10) }
            #expect(taken.map(\.text) == ["east", "north"])
            // While it is made, the vectors before it are searched, with what is stored meanwhile.
            #expect(try await f.remember("south", [0, -1]) { $0.key = "k" } == north)
            #expect(try await f.texts(.near([0, -1])) == ["south", "east"])
            let again = try await f.store.write { try $0.takeForSpace(space.id, limit: 10) }
            #expect(again.map(\.text) == ["south"])
            #expect(try await f.store.memories.finishSpace(space.id) == false)
            for memory in [taken[0], again[0]] {
                let vector = try MemoryVector(memory.text == "east" ? [1, 0, 0] : [0, 0, 1])
                _ = try await f.store.write {
                    try $0.add([(memoryID: memory.id, version: memory.version, vector: vector)], to: space.id)
                }
            }
            #expect(try await f.store.memories.finishSpace(space.id))
            let answer = try await f.search.answer([.near([0, 0.1, 1])])[0]
            #expect(answer.hits.map(\.memory.text) == ["south", "east"] && answer.reports[0].isRebuilt)
            #expect(f.search.size.indexes == 1, "the index before it is gone")
            #expect(
                await f.error(.near([1, 0])) == "namespace 'notes' holds vectors of 3 values, made by 'local/f', and the query's has 2")
        }
    }

    @Test func whatHasNoTextAnyLongerMakesRoom() async throws {
        try await withSearch { f in
            for place in 0..<40 { try await f.remember("m\(place)", [1, Float(place) / 100]) }
            #expect(try await f.texts(.near([1, 0], limit: 3)) == ["m0", "m1", "m2"])
            // Behind the index's back: the rows end earlier than their entries say.
            _ = try await f.store.write { [now = f.now] transaction in
                try transaction.statement("UPDATE memories SET expires_at = ? WHERE id <= 30").bind(now).run()
            }
            let diverse = MemoryQuery.near([1, 0], limit: 3) { $0.relevance = 1 }
            let both = MemoryQuery.near([1, 0], limit: 3) {
                $0.mode = .hybrid
                $0.text = "nothing"
            }
            for query in [.near([1, 0], limit: 3), diverse, both] { #expect(try await f.texts(query) == ["m30", "m31", "m32"]) }
            #expect(try await f.texts(.near([1, 0], limit: 20)).count == 10)
            _ = try await f.store.write { transaction in try transaction.statement("UPDATE memories SET expires_at = NULL").run() }
        }
    }

    @Test func anIndexTooManyGoes() async throws {
        // A limit that no index fits: only the latest is kept.
        try await withSearch(maxBytes: 1) { f in
            for name in ["a", "b", "c"] { try await f.remember("in \(name)", [1, 0], in: name) }
            for name in ["a", "b", "c", "a", "a"] {
                let answer = try await f.search.answer([.near([1, 0], in: [name])])[0]
                #expect(answer.hits.map(\.memory.text) == ["in \(name)"])
                #expect(f.search.size.indexes == 1)
            }
            #expect(try await f.search.answer([.near([1, 0], in: ["a"])])[0].reports[0].isRebuilt == false)
            #expect(try await f.search.answer([.near([1, 0], in: ["a", "b", "c"])])[0].hits.count == 3)
            #expect(f.search.size.indexes == 1)
        }
        try await withSearch { f in
            for name in ["a", "b"] { try await f.remember("in \(name)", [1, 0], in: name) }
            _ = try await f.search.answer([.near([1, 0], in: ["a"]), .near([1, 0], in: ["b"])])
            #expect(f.search.size.indexes == 2 && f.search.size.bytes > 0)
            #expect(try await f.search.answer([.near([1, 0], in: ["a", "b"])])[0].reports.map(\.isRebuilt) == [false, false])
        }
    }

    @Test func manySearchesAtOnceAgreeWithTheirOwnMoment() async throws {
        try await withSearch { f in
            let other = try f.another()
            defer { other.close() }
            for name in ["a", "b"] { try await f.remember("seed", [1, 0], in: name) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // Both namespaces get the same text in turn, a's first: no moment has more in b than in a.
                    for round in 0..<100 {
                        for name in ["a", "b"] {
                            let memory = NewMemory("m\(round)", vector: try MemoryVector([1, Float(round)]))
                            _ = try await other.memories.remember([memory], in: name, model: SearchFixture.model)
                        }
                    }
                }
                for task in 0..<6 {
                    group.addTask {
                        var seen = 0
                        while seen < 101 {
                            let names = task % 2 == 0 ? ["a", "b"] : ["b", "a"]
                            let hits = try await f.search.answer([MemoryQuery(namespaces: names, vector: [0, 1]).with(limit: 1_000)])[0]
                                .hits
                            let (a, b) = (hits.count { $0.memory.namespace == "a" }, hits.count { $0.memory.namespace == "b" })
                            #expect(a == b || a == b + 1)
                            #expect(b >= seen, "what was seen once is not lost")
                            seen = b
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}

extension MemoryQuery {
    fileprivate func with(limit: Int) -> MemoryQuery {
        var query = self
        query.limit = limit
        return query
    }
}
