import AgentQueueStore
import CAgentQueue
import Testing

@testable import AgentQueueMemory

@Suite struct VectorIndexTests {
    @Test(arguments: Array(1...70)) func everyDimensionIsSearched(_ dimension: Int) throws {
        for kind in HardVectors.allCases {
            let indexed = IndexedVectors(VectorSet(kind.make(30, dimension)))
            try indexed.append(0..<30)
            for query in kind.make(1, dimension, seed: 3) + HardVectors.normal.make(1, dimension, seed: 4) {
                try indexed.check(query, scans: [.automatic], "\(kind) \(dimension)")
            }
        }
    }

    @Test(arguments: HardVectors.allCases) func whatIsHardIsFoundThroughASketchToo(_ kind: HardVectors) throws {
        let indexed = IndexedVectors(VectorSet(kind.make(2_000, 200)))
        try indexed.append(0..<2_000)
        indexed.index.prepare()
        for query in kind.make(3, 200, seed: 3) + HardVectors.normal.make(2, 200, seed: 4) {
            try indexed.check(query, scans: [.full, .cascade], "\(kind)")
        }
    }

    @Test(arguments: [vectors_level.plain, .avx2, .avx512, .neon, .neonDot].filter(vectors_has))
    func allInstructionsFindTheSame(_ level: vectors_level) throws {
        let indexed = IndexedVectors(VectorSet.clusters(1_500, 200, spread: 2), level: level)
        try indexed.append(0..<1_500)
        indexed.index.prepare()
        let mask = (0..<24).map { _ in UInt64(0x1010_1010_1010_1010) }
        let some = (0..<1_500).map { UInt8($0 % 8 == 4 ? 1 : 0) }
        for row in [3, 700, 1_499] {
            try indexed.check(indexed.set[row], scans: [.full, .cascade])
            try indexed.check(indexed.set[row], allowed: some, mask: mask, scans: [.full, .cascade])
        }
    }

    /// Nothing can be passed over where all directions are alike; the answer is right all the same.
    @Test func isotropicVectorsAreFound() throws {
        let indexed = IndexedVectors(VectorSet.normal(9_000, 256))
        try indexed.append(0..<9_000)
        indexed.index.prepare()
        let queries = VectorSet.normal(5, 256, seed: 2)
        for row in 0..<5 { try indexed.check(queries[row], scans: [.full, .cascade], threads: 2) }
    }

    @Test func ofEqualOnesTheSmallerMemoryComesFirst() throws {
        let indexed = IndexedVectors(VectorSet((0..<300).map { _ in [1, 2, 3, 4] }))
        try indexed.append(0..<300, memoryID: { Int64(300 - $0) })
        let hits = try indexed.search([4, 3, 2, 1], limit: 20).hits
        #expect(hits.map(\.memoryID) == Array(1...20))
    }

    @Test func fewerAreFoundWhereThereAreFewer() throws {
        let indexed = IndexedVectors(VectorSet.normal(5, 16))
        try indexed.append(0..<5)
        try indexed.check(indexed.set[2], limit: 10_000, scans: [.full])
        #expect(try indexed.search(indexed.set[0], limit: 3).hits.count == 3)
        #expect(try indexed.search(indexed.set[0], limit: 0).hits.isEmpty)
        #expect(try indexed.search(indexed.set[0], limit: -1).hits.isEmpty)
        #expect(try IndexedVectors(indexed.set).search(indexed.set[0]).hits.isEmpty)
    }

    @Test(arguments: [1, 10, 100, 1_000]) func moreAreFound(_ limit: Int) throws {
        let indexed = IndexedVectors(VectorSet.clusters(9_000, 200, spread: 2))
        try indexed.append(0..<9_000)
        indexed.index.prepare()
        try indexed.check(indexed.set[4], limit: limit, scans: [.full, .cascade], threads: 2)
    }

    @Test func aBadQueryIsRefused() throws {
        let indexed = IndexedVectors(VectorSet.normal(5, 3))
        try indexed.append(0..<5)
        #expect(throws: VectorError.empty) { try indexed.search([]) }
        #expect(throws: VectorError.wrongDimension(2, expected: 3)) { try indexed.search([1, 2]) }
        #expect(throws: VectorError.wrongDimension(4, expected: 3)) { try indexed.search([1, 2, 3, 4], limit: 0) }
        #expect(throws: VectorError.notFinite(1)) { try indexed.search([1, .nan, 3]) }
        #expect(throws: VectorError.notFinite(2)) { try indexed.search([1, 2, -.infinity]) }
        #expect(throws: VectorError.noDirection) { try indexed.search([0, 0, 0]) }
        #expect(throws: VectorError.noDirection) { try indexed.search([.leastNonzeroMagnitude, 0, 0]) }
        #expect(throws: VectorError.wrongDimension(2, expected: 3)) {
            try indexed.index.append(MemoryVector([1, 2]), number: 9, memoryID: 9, expiresAt: .max, createdAt: 0, importance: 0)
        }
    }

    @Test func aBlockOfAnotherDimensionIsRefusedWhole() throws {
        let index = VectorIndex(dimension: 3)
        let (heads, codes) = ([UInt8](repeating: 0, count: 96), [UInt8](repeating: 128, count: 8))
        #expect(throws: VectorError.wrongDimension(4, expected: 3)) {
            try heads.withUnsafeBytes { heads in try codes.withUnsafeBytes { try index.append(MemoryBlock(heads: heads, codes: $0)) } }
        }
        #expect(index.slots == 0)
    }

    @Test func whatHasExpiredIsNotFound() throws {
        let indexed = IndexedVectors(VectorSet.normal(500, 8))
        // Some within what four bytes can say, and one far beyond.
        try indexed.append(0..<500, expiresAt: { $0 < 100 ? .max : $0 == 300 ? 1 << 50 : Int64(1_000 + $0) })
        for (now, least) in [(0, 0), (1_100, 101), (1_250, 251), (2_000, 500)] as [(Int64, Int)] {
            let allowed = (0..<500).map { UInt8($0 < 100 || $0 >= least || $0 == 300 ? 1 : 0) }
            try indexed.check(indexed.set[7], limit: 200, now: now, allowed: allowed, scans: [.full], "\(now)")
        }
    }

    @Test func placesTellOfTheirEntries() throws {
        let indexed = IndexedVectors(VectorSet.normal(200, 4))
        // Ids and times from all over: four bytes are enough for the first few only.
        func id(_ row: Int) -> Int64 { row < 50 ? Int64(row) : Int64(row) << 40 }
        func time(_ row: Int) -> Int64 { row < 100 ? 1_700_000_000_000 + Int64(row) : Int64(row) * 1_000 }
        try indexed.append(0..<200, memoryID: id, createdAt: time)
        for row in 0..<200 {
            #expect(indexed.index.memoryID(row) == id(row) && indexed.index.createdAt(row) == time(row))
            #expect(indexed.index.number(row) == Int64(row + 1) && indexed.index.importance(row) == 0.5)
        }
    }

    @Test func whatIsForgottenIsNotFoundAndGapsAreClosed() throws {
        let indexed = IndexedVectors(VectorSet.clusters(4_000, 32))
        try indexed.append(0..<4_000)
        var allowed = [UInt8](repeating: 1, count: 4_000)
        #expect(indexed.index.forget([:]) == 0)
        #expect(indexed.index.forget([3: 4, 70_000: .max]) == 0, "its number is not smaller")
        #expect(indexed.index.forget([3: 5]) == 1 && indexed.index.forget([3: 5]) == 0)
        allowed[3] = 0
        #expect(indexed.index.count == 3_999 && indexed.index.slots == 4_000 && !indexed.index.isLive(3))
        try indexed.check(indexed.set[3], allowed: allowed, scans: [.full])
        var changes: [Int64: Int64] = [:]
        for row in stride(from: 0, to: 4_000, by: 3) { (changes[Int64(row)], allowed[row]) = (.max, 0) }
        #expect(indexed.index.forget(changes) == 1_333, "one of them was gone")
        #expect(indexed.index.generation == 1 && indexed.index.slots == indexed.index.count && indexed.index.count == 2_666)
        for row in [0, 3, 1_000, 3_999] { try indexed.check(indexed.set[row], allowed: allowed, scans: [.full]) }
        #expect(indexed.index.memoryID(0) == 1 && indexed.index.memoryID(2) == 4)
    }

    @Test func anUpdateTakesThePlaceOfWhatItUpdates() throws {
        let indexed = IndexedVectors(VectorSet([[1, 0], [0, 1], [1, 1]]))
        try indexed.append(0..<2, memoryID: { _ in 7 })
        indexed.index.forget([7: 2])
        let hits = try indexed.search([1, 0]).hits
        #expect(hits.map(\.number) == [2] && hits.map(\.memoryID) == [7])
    }

    @Test func whatIsGoneIsPassedOverAndOthersAreFound() throws {
        let set = VectorSet.clusters(3_000, 64)
        let query = set[5]
        var allowed = [UInt8](repeating: 1, count: 3_000)
        var gone: Set<Int64> = []
        // The nearest of all, and then the nearest of those that are left.
        for _ in 0..<2 {
            for best in set.best(.cosine, query, set.dots(query), allowed: allowed, limit: 15) {
                gone.insert(Int64(best.row + 1))
                allowed[best.row] = 0
            }
            for metric in VectorMetric.allCases {
                let indexed = IndexedVectors(set)
                indexed.gone = gone
                try indexed.append(0..<3_000)
                try indexed.check(query, metrics: [metric], allowed: allowed, scans: [.full])
            }
        }
    }

    @Test func aSmallIndexFetchesEachVectorOnce() throws {
        let indexed = IndexedVectors(VectorSet.clusters(2_000, 64))
        try indexed.append(0..<2_000)
        let first = try indexed.search(indexed.set[9]).hits
        let fetched = indexed.fetched
        #expect(fetched >= 10 && indexed.index.bytes > 2_000 * 64)
        let second = try indexed.search(indexed.set[9]).hits
        #expect(second == first && indexed.fetched == fetched)
    }

    @Test func whatIsTakenInByItselfNeedsNoFetching() throws {
        let indexed = IndexedVectors(VectorSet.normal(50, 16))
        for row in 0..<50 {
            try indexed.index.append(
                MemoryVector(indexed.set[row]), number: Int64(row + 1), memoryID: Int64(row), expiresAt: .max, createdAt: 5, importance: 1)
        }
        let hits = try indexed.search(indexed.set[9], limit: 3).hits
        #expect(hits[0].memoryID == 9 && abs(hits[0].similarity - 1) < 1e-9 && indexed.fetched == 0)
    }

    @Test func bonusIsPartOfTheScoreAndNotOfTheSimilarity() throws {
        let indexed = IndexedVectors(VectorSet([[1, 0], [0, 1], [1, 1]]))
        try indexed.append(0..<3)
        let hits = try indexed.search([1, 0], bonus: [0, 2, 0]).hits
        #expect(hits.map(\.memoryID) == [1, 0, 2])
        #expect(hits[0].score == 2 && hits[0].similarity == 0 && hits[1].score == 1)
    }

    @Test func aMaskThatIsTooShortLeavesOutTheRest() throws {
        let indexed = IndexedVectors(VectorSet.normal(200, 8))
        try indexed.append(0..<200)
        let allowed = (0..<200).map { UInt8($0 < 64 && $0 % 2 == 0 ? 1 : 0) }
        try indexed.check(indexed.set[150], limit: 100, allowed: allowed, mask: [0x5555_5555_5555_5555], scans: [.full])
    }
}
