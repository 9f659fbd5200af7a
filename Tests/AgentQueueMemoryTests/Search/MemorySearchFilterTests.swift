import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueMemory
@testable import AgentQueueStore

/// Filters, at random, against each memory's own metadata.
@Suite struct MemorySearchFilterTests {
    /// A memory whose metadata cannot be read might be one that is looked for: the search fails, and does not leave it out.
    @Test func damagedMetadataFailsTheSearch() async throws {
        let fixture = try SearchFixture()
        defer { fixture.remove() }
        let id = try await fixture.remember("a", [1, 0]) { $0.metadata = ["lang": "en"] }
        try await fixture.remember("b", [0, 1]) { $0.metadata = ["lang": "en"] }
        _ = try await fixture.store.write { transaction in
            try transaction.statement("UPDATE memories SET metadata = '{' WHERE id = ?").bind(id).run()
        }
        var filtered = MemoryQuery.near([1, 0])
        filtered.filter = try Expression.parse("lang = 'en'")
        #expect(await fixture.error(filtered)?.contains("the metadata of memory \(id) is damaged") == true)
    }

    @Test(arguments: 0..<4)
    func findsWhatFulfilsTheFilterAlone(_ seed: Int) async throws {
        try await withSearch { f in
            var random = SeededGenerator(seed: UInt64(seed))
            var kept: [Int64: NewMemory] = [:]
            for round in 0..<12 {
                var batch: [NewMemory] = []
                for place in 0..<40 {
                    var memory = NewMemory(
                        "m\(round).\(place)", vector: try MemoryVector((0..<4).map { _ in .random(in: -1...1, using: &random) }))
                    memory.metadata = Self.metadata(&random)
                    memory.createdAt = Int64.random(in: 0..<1_000, using: &random)
                    memory.importance = Double(Int.random(in: 0...4, using: &random)) / 4
                    if Int.random(in: 0..<3, using: &random) == 0 { memory.key = "k\(Int.random(in: 0..<60, using: &random))" }
                    if batch.contains(where: { $0.key != nil && $0.key == memory.key }) { memory.key = nil }
                    batch.append(memory)
                }
                for (made, memory) in zip(try await f.store.memories.remember(batch, in: "notes", model: SearchFixture.model), batch) {
                    kept[made.id] = memory
                }
                let gone = kept.keys.sorted().filter { _ in Int.random(in: 0..<8, using: &random) == 0 }
                #expect(try await f.store.memories.forget(gone) == gone.count)
                for id in gone { kept[id] = nil }
                for _ in 0..<8 {
                    let query = MemoryQuery.near([1, 2, 3, 4], limit: 1_000) {
                        if Int.random(in: 0..<6, using: &random) > 0 { $0.filter = Self.filter(2, &random) }
                        if Int.random(in: 0..<4, using: &random) == 0 { $0.createdAfter = Int64.random(in: 0..<1_000, using: &random) }
                        if Int.random(in: 0..<4, using: &random) == 0 { $0.createdBefore = Int64.random(in: 0..<1_000, using: &random) }
                        if Int.random(in: 0..<4, using: &random) == 0 {
                            $0.minImportance = Double(Int.random(in: 0...4, using: &random)) / 4
                        }
                    }
                    let expected = kept.filter { Self.admits(query, $0.value) }.map(\.key).sorted()
                    let answer = try await f.search.answer([query])[0]
                    #expect(answer.hits.map(\.memory.id).sorted() == expected, "\(query.filter.map(\.description) ?? "all")")
                    let isFiltered =
                        query.filter != nil || query.createdAfter != nil || query.createdBefore != nil || query.minImportance != nil
                    #expect(answer.reports[0].passed == (isFiltered ? expected.count : nil))
                }
            }
        }
    }

    private static func admits(_ query: MemoryQuery, _ memory: NewMemory) -> Bool {
        let created = memory.createdAt ?? 0
        return query.filter?.holds(for: memory.metadata ?? .null) != false && created >= query.createdAfter ?? 0
            && created < query.createdBefore ?? 1_000 && memory.importance >= query.minImportance ?? 0
    }

    private static let scalars: [JSONValue] = [
        0, 1, 2, 2.0, 2.5, -1, .integer(9_007_199_254_740_993), .double(9_007_199_254_740_992), "a", "b", "é", "e\u{301}", "", true, false,
        .null,
    ]

    private static func scalar(_ random: inout SeededGenerator) -> JSONValue { scalars[Int.random(in: 0..<scalars.count, using: &random)] }

    private static func value(_ random: inout SeededGenerator) -> JSONValue {
        guard Int.random(in: 0..<4, using: &random) == 0 else { return scalar(&random) }
        return .array((0..<Int.random(in: 0..<3, using: &random)).map { _ in scalar(&random) })
    }

    private static func metadata(_ random: inout SeededGenerator) -> JSONValue? {
        guard Int.random(in: 0..<8, using: &random) > 0 else { return nil }
        return .object(
            ["x", "y", "z"].filter { _ in Int.random(in: 0..<4, using: &random) > 0 }.map { name in
                .init(name, name == "z" ? ["deep": value(&random)] : value(&random))
            })
    }

    private static func filter(_ depth: Int, _ random: inout SeededGenerator) -> Expression {
        let paths: [[Expression.Step]] = [
            [.member("x")], [.member("y")], [.member("z"), .member("deep")], [.member("x"), .element(0)], [.member("w")],
        ]
        func field() -> Expression { .field(paths[Int.random(in: 0..<paths.count, using: &random)]) }
        let all: [Expression.Comparison] = [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual]
        func comparison() -> Expression.Comparison { all[Int.random(in: 0..<6, using: &random)] }
        switch Int.random(in: 0..<(depth > 0 ? 10 : 6), using: &random) {
        case 0: return .isIn(field(), [value(&random), value(&random)])
        case 1: return .exists(paths[Int.random(in: 0..<paths.count, using: &random)])
        case 2: return Int.random(in: 0..<4, using: &random) == 0 ? .literal(true) : field()
        case 3: return .comparison(field(), comparison(), field())
        case 4: return .comparison(.literal(value(&random)), comparison(), field())
        case 5: return .comparison(field(), comparison(), .literal(value(&random)))
        case 6: return .and([filter(depth - 1, &random), filter(depth - 1, &random)])
        case 7: return .or([filter(depth - 1, &random), filter(depth - 1, &random), filter(depth - 1, &random)])
        default: return .not(filter(depth - 1, &random))
        }
    }

    // MARK: Columns

    @Test func aFilterIsReadOnceAndKept() throws {
        var filters = MetadataFilters()
        var rows: [JSONValue] = (0..<100).map { ["n": .integer($0 % 10), "m": .integer($0 % 3)] }
        var reads: [Int] = []
        func places(_ text: String) throws -> [Int] {
            let set = try filters.places(of: Expression.parse(text), slots: rows.count) { from, body in
                reads.append(from)
                for slot in from..<rows.count { body(slot, rows[slot]) }
            }
            return (0..<rows.count).filter { set[$0] }
        }
        #expect(try places("n = 3") == Array(stride(from: 3, to: 100, by: 10)))
        #expect(try places("n = 3").count == 10 && reads == [0], "the set is kept")
        #expect(try places("n in [3, 4]").count == 20 && reads == [0], "and so is the column")
        #expect(try places("n = 3 and m = 0") == [3, 33, 63, 93] && reads == [0, 0])
        rows += [["n": 3, "m": 0], .null]
        #expect(try places("n = 3").suffix(1) == [100] && reads == [0, 0, 100], "only what is new is read")
        #expect(try places("m = 0 and n = 3").suffix(1) == [100] && reads == [0, 0, 100, 100])
        #expect(try places("n = null") == [101])
        #expect(filters.bytes > 0)
        filters.clear()
        #expect(filters.bytes == 0)
        #expect(try places("true").count == 102 && reads.count == 4, "nothing is read for what asks nothing")
    }

    @Test func columnsAndSetsAreBounded() throws {
        var filters = MetadataFilters(maxBytes: 20_000)
        let rows: [JSONValue] = (0..<1_000).map { ["a": .integer($0), "b": .integer($0 * 2), "c": 1] }
        var reads = 0
        func count(_ text: String) throws -> Int {
            try filters.places(of: Expression.parse(text), slots: rows.count) { _, body in
                reads += 1
                for slot in rows.indices { body(slot, rows[slot]) }
            }.count
        }
        #expect(try count("a < 10") == 10 && count("b < 10") == 5 && reads == 2)
        #expect(filters.bytes < 20_000 + 32 * 128, "what is larger than the bound alone is not kept")
        #expect(try count("c = 1") == 1_000 && count("c = 2") == 0 && reads == 3, "what is small is")
        for place in 0..<100 { _ = try count("c > \(place)") }
        #expect(reads == 3 && filters.bytes < 20_000 + 33 * 128, "the latest sets alone are kept")
    }

    @Test func twoSpellingsAreTwoValues() throws {
        var filters = MetadataFilters()
        let rows: [JSONValue] = [["t": "é"], ["t": "e\u{301}"], ["t": 1], ["t": 1.0], ["t": "1"]]
        func places(_ text: String) throws -> [Int] {
            let set = try filters.places(of: Expression.parse(text), slots: rows.count) { _, body in
                for slot in rows.indices { body(slot, rows[slot]) }
            }
            return rows.indices.filter { set[$0] }
        }
        #expect(try places("t = 'é'") == [0] && places("t = 'e\u{301}'") == [1] && places("t = 1") == [2, 3] && places("t = '1'") == [4])
    }

    @Test func setsHaveNothingBeyondTheirPlaces() {
        for slots in [0, 1, 63, 64, 65, 130] {
            var all = SlotSet(slots: slots, all: true)
            #expect(all.count == slots && all == SlotSet((0..<slots).map { _ in 1 }, where: [0, 1]))
            all.invert()
            #expect(all == SlotSet(slots: slots, all: false))
            all.invert()
            #expect(all.count == slots)
            guard slots > 1 else { continue }
            all[1] = false
            #expect(all.count == slots - 1 && !all[1] && all[0])
            var one = SlotSet(slots: slots, all: false)
            one[1] = true
            all.formIntersection(one)
            #expect(all.count == 0)
            all.formUnion(one)
            #expect(all == one && all[1])
        }
    }
}
