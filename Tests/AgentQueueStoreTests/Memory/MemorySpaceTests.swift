import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// A namespace that is embedded again by another model.
@Suite struct MemorySpaceTests {
    private let other = VectorModel(target: "local/new", passagePrefix: "p: ")

    private func take(_ f: Fixture, _ space: MemorySpace, _ limit: Int) async throws -> [Memory] {
        try await f.store.write { try $0.takeForSpace(space.id, limit: limit) }
    }

    @discardableResult
    private func add(_ f: Fixture, _ memories: [Memory], to space: MemorySpace) async throws -> Int {
        let vectors = try memories.map { ($0.id, $0.version, try MemoryVector.of("new " + $0.text, dimension: space.dimension)) }
        return try await f.store.write { try $0.add(vectors.map { (memoryID: $0.0, version: $0.1, vector: $0.2) }, to: space.id) }
    }

    private func live(_ f: Fixture, _ space: MemorySpace) throws -> Int { try f.store.memories.withSnapshot { try $0.progress(of: space) } }

    @Test func allOfItIsEmbeddedAgain() async throws {
        try await withStore { f in
            try await f.remember(["one", "two", "three"])
            try await f.remember(["keyed"]) { $0.key = "k" }
            let old = try #require(try f.namespace().space)
            let space = try await f.store.memories.beginSpace(in: "notes", model: other, dimension: 6)
            #expect(try f.namespace().building == space && f.namespace().space == old)
            #expect(try await f.store.memories.beginSpace(in: "notes", model: other, dimension: 6) == space, "it goes on")
            let first = try await take(f, space, 3)
            #expect(first.map(\.text) == ["one", "two", "three"])
            #expect(try await add(f, first, to: space) == 3)
            #expect(try await add(f, first, to: space) == 0, "once")
            #expect(try await !f.store.memories.finishSpace(space.id))
            // Meanwhile one is changed, one forgotten, one new; and one renewed, whose text stays.
            try await f.remember(["keyed anew"]) { $0.key = "k" }
            #expect(try await f.store.memories.forget([1]) == 1)
            try await f.remember(["four"])
            try await f.remember(["two"]) { $0.importance = 1 }
            #expect(try live(f, space) == 2)
            let second = try await take(f, space, 9)
            #expect(second.map(\.text) == ["keyed anew", "four"])
            #expect(try await take(f, space, 9).isEmpty)
            #expect(try await add(f, second, to: space) == 2)
            #expect(try await f.store.memories.finishSpace(space.id))
            #expect(try await f.store.memories.finishSpace(space.id), "again is no fault")
            #expect(try f.namespace().space == space && f.namespace().building == nil)
            var mirror = MirrorIndex()
            try f.store.memories.withSnapshot { snapshot in _ = try mirror.follow(space, in: snapshot) }
            #expect(mirror.entries.keys.sorted() == [2, 3, 4, 5] && mirror.entries[2]?.importance == 1)
            let anew = try MemoryVector.of("new keyed anew", dimension: 6)
            #expect(mirror.codes[4] == anew.codes)
            #expect(try f.store.maintenance.check().faults == [])
            // The old vectors go, and new ones are of the new model.
            try await f.store.maintenance.compactMemory()
            #expect(try f.count(of: "memory_spaces") == 1)
            #expect(await storeError { try await f.remember(["five"]) }?.kind == .conflict)
            let five = NewMemory("five", vector: try .of("five", dimension: 6))
            #expect(try await f.store.memories.remember([five], in: "notes", model: other).map(\.id) == [6])
            let texts: Int64 = 27
            #expect(try f.namespace().bytes == texts + 5 * (200 + 5 * 6), "text, key and vector, of each")
        }
    }

    @Test func whatChangedSinceItWasTakenIsTakenAgain() async throws {
        try await withStore { f in
            try await f.remember(["one"]) { $0.key = "k" }
            let space = try await f.store.memories.beginSpace(in: "notes", model: other, dimension: 6)
            let taken = try await take(f, space, 9)
            try await f.remember(["two"]) { $0.key = "k" }
            #expect(try await add(f, taken, to: space) == 0)
            let again = try await take(f, space, 9)
            #expect(again.map(\.text) == ["two"])
            // And what changes only in importance: the vector that is on its way is of no use any more.
            try await f.remember(["two"]) {
                $0.key = "k"
                $0.importance = 1
            }
            #expect(try await add(f, again, to: space) == 0)
            let last = try await take(f, space, 9)
            #expect(last.map(\.importance) == [1])
            #expect(try await add(f, last, to: space) == 1)
            #expect(try await f.store.memories.finishSpace(space.id))
        }
    }

    @Test func whatWasLostIsRetaken() async throws {
        try await withStore(durability: .normal) { f in
            try await f.remember((0..<1_100).map { "text \($0)" })
            let space = try await f.store.memories.beginSpace(in: "notes", model: other, dimension: 6)
            let taken = try await take(f, space, 1_050)
            try await add(f, Array(taken.prefix(400)), to: space)
            #expect(try await f.store.memories.retakeMissing(in: space.id) == 650)
            #expect(try await f.store.memories.retakeMissing(in: space.id) == 0)
            var rest: [Memory] = []
            while case let slice = try await take(f, space, 100), !slice.isEmpty { rest += slice }
            #expect(rest.count == 700)
            #expect(try await add(f, rest, to: space) == 700)
            #expect(try await f.store.memories.finishSpace(space.id))
            #expect(try await f.store.memories.retakeMissing(in: space.id) == 0)
        }
    }

    @Test func whatHasExpiredIsNotEmbedded() async throws {
        try await withStore { f in
            try await f.remember(["one", "two", "three", "four"]) { if $0.text != "four" { $0.expiresAt = f.clock.wall + 10 } }
            let space = try await f.store.memories.beginSpace(in: "notes", model: other, dimension: 6)
            f.clock.wall += 10
            let taken = try await take(f, space, 2)
            #expect(taken.map(\.text) == ["four"])
            #expect(try f.namespace().memories == 1)
            try await add(f, taken, to: space)
            #expect(try await f.store.memories.finishSpace(space.id))
        }
    }

    @Test func anotherModelTakesOver() async throws {
        try await withStore { f in
            try await f.remember(["one", "two"])
            let first = try await f.store.memories.beginSpace(in: "notes", model: other, dimension: 6)
            let taken = try await take(f, first, 1)
            try await add(f, taken, to: first)
            let second = try await f.store.memories.beginSpace(in: "notes", model: VectorModel(target: "local/third"), dimension: 3)
            #expect(second.id != first.id)
            #expect(try await add(f, taken, to: first) == 0)
            #expect(await storeError { _ = try await f.store.memories.finishSpace(first.id) }?.kind == .notFound)
            #expect(try await take(f, first, 9).isEmpty)
            #expect(try f.store.maintenance.check().faults == [])
            try await f.remember(["one"]) { $0.importance = 0 }
            #expect(try f.store.maintenance.check().faults == [], "what died in vectors that were given up is counted too")
            try await f.store.maintenance.compactMemory()
            #expect(try f.count(of: "memory_spaces") == 2)
            #expect(try f.count(of: "memory_entries") == 0)
            #expect(try await take(f, second, 9).count == 2)
        }
    }

    @Test func refusals() async throws {
        try await withStore { f in
            try await f.remember(["one"])
            let isThere = await storeError { _ = try await f.store.memories.beginSpace(in: "notes", model: .test, dimension: 4) }
            #expect(isThere?.kind == .conflict)
            let nowhere = await storeError { _ = try await f.store.memories.beginSpace(in: "nowhere", model: other, dimension: 4) }
            #expect(nowhere?.kind == .notFound)
            #expect(
                await storeError { _ = try await f.store.memories.beginSpace(in: "notes", model: other, dimension: 4_097) }?.kind
                    == .conflict)
            try await f.remember(["x"]) { $0.text = "" }
            let textless = await storeError { _ = try await f.store.memories.beginSpace(in: "notes", model: other, dimension: 6) }
            #expect(
                textless?.message == "namespace notes holds 1 memories with a vector but no text, which no model can embed again")
            _ = try await f.store.memories.forget([2])
            let space = try await f.store.memories.beginSpace(in: "notes", model: other, dimension: 6)
            #expect(await storeError { try await f.remember(["x"]) { $0.text = "" } }?.kind == .conflict)
            let taken = try await take(f, space, 9)
            let wrong = try MemoryVector.of("x", dimension: 5)
            let error = await storeError {
                _ = try await f.store.write { transaction in
                    try transaction.add(taken.map { (memoryID: $0.id, version: $0.version, vector: wrong) }, to: space.id)
                }
            }
            #expect(error?.message == "the model gave vectors of 5 values, where those of namespace notes have 6")
        }
    }

    /// Words alone, and no vector yet: the first model makes them.
    @Test func whatHasNoVectorsYetGetsThem() async throws {
        try await withStore { f in
            _ = try await f.store.memories.remember([NewMemory("one"), NewMemory("two")], in: "notes", model: nil)
            #expect(try f.namespace().space == nil)
            let space = try await f.store.memories.beginSpace(in: "notes", model: other, dimension: 6)
            try await add(f, take(f, space, 9), to: space)
            #expect(try await f.store.memories.finishSpace(space.id))
            #expect(try f.namespace().space == space)
            #expect(try f.store.memories.known([NewMemory("one"), NewMemory("three")], in: "notes", model: other) == [1, nil])
            #expect(try f.store.memories.known([NewMemory("one")], in: "notes", model: .test) == [nil])
        }
    }
}
