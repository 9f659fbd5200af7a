import AgentQueueStore
import Testing

@testable import AgentQueueMemory

/// When an index makes a sketch, extends it, and gives it up.
@Suite struct SketchTests {
    @Test func searchesThatCostAsMuchBringItAbout() throws {
        let indexed = IndexedVectors(VectorSet.clusters(26_000, 192, centres: 400))
        try indexed.append(0..<SketchKeeper.leastSlots - 1)
        for _ in 0..<60 { #expect(try indexed.search(indexed.set[1]).report.scan == .full) }
        #expect(indexed.index.sketches.build == nil, "too few")
        try indexed.append(SketchKeeper.leastSlots - 1..<21_000)
        while indexed.index.sketches.build == nil { #expect(try indexed.search(indexed.set[1]).report.scan == .full) }
        indexed.index.sketches.build?.wait()
        let report = try indexed.search(indexed.set[1]).report
        #expect(report.scan == .cascade && report.sketched < 10_000 && report.scanned == 21_000)
        let covered = try #require(indexed.index.sketches.sketch).count
        #expect(covered == 21_000 / 16 * 16)
        // What is added is looked at by its codes, until that has cost as much as sketching it.
        try indexed.append(21_000..<26_000)
        for row in [0, 22_000, 25_999] { try indexed.check(indexed.set[row], scans: [.automatic, .cascade]) }
        while indexed.index.sketches.build == nil { _ = try indexed.search(indexed.set[1]) }
        indexed.index.sketches.build?.wait()
        let basis = indexed.index.sketches.sketch?.basis
        try indexed.check(indexed.set[25_999], scans: [.automatic, .cascade])
        #expect(indexed.index.sketches.sketch?.count == 26_000 && indexed.index.sketches.sketch?.basis === basis)
    }

    @Test func whereItIsOfNoUseItIsGivenUp() throws {
        let indexed = IndexedVectors(VectorSet.normal(22_000, 192))
        try indexed.append(0..<22_000)
        indexed.index.prepare()
        let bytes = indexed.index.bytes
        let queries = VectorSet.normal(SketchKeeper.trial, 192, seed: 2)
        for row in 0..<SketchKeeper.trial { #expect(try indexed.search(queries[row]).report.scan == .cascade) }
        #expect(indexed.index.sketches.sketch == nil && indexed.index.bytes < bytes)
        for _ in 0..<100 { #expect(try indexed.search(queries[0], limit: 1).report.scan == .full) }
        #expect(indexed.index.sketches.build == nil, "it is not made again")
        // One who wants it has it.
        indexed.index.prepare()
        #expect(try indexed.search(queries[0], scan: .cascade).report.scan == .cascade)
    }

    @Test func smallDimensionsHaveNone() throws {
        let indexed = IndexedVectors(VectorSet.clusters(100, 191))
        try indexed.append(0..<100)
        indexed.index.prepare()
        #expect(indexed.index.sketches.sketch == nil)
        #expect(try indexed.search(indexed.set[0], scan: .cascade).report.scan == .full)
    }

    @Test func compactionBeginsAnew() throws {
        let indexed = IndexedVectors(VectorSet.clusters(5_000, 192))
        try indexed.append(0..<5_000)
        indexed.index.prepare()
        indexed.index.forget(Dictionary(uniqueKeysWithValues: (0..<2_000).map { (Int64($0), Int64.max) }))
        #expect(indexed.index.generation == 1 && indexed.index.sketches.sketch == nil)
        let allowed = (0..<5_000).map { UInt8($0 < 2_000 ? 0 : 1) }
        try indexed.check(indexed.set[10], allowed: allowed, scans: [.cascade])
        indexed.index.prepare()
        try indexed.check(indexed.set[10], allowed: allowed, scans: [.cascade])
    }

    /// Nearly all of the true neighbours, with less to look at: where what lacks points anywhere, and where it points to the neighbours.
    @Test(arguments: [100, 1_000]) func approximateMissesLittle(_ centres: Int) throws {
        let indexed = IndexedVectors(VectorSet.clusters(20_000, 384, centres: centres))
        try indexed.append(0..<20_000)
        indexed.index.prepare()
        let share = try #require(indexed.index.sketches.sketch).usualShare
        #expect(share > 0.1 && share < 1)
        let queries = VectorSet.clusters(50, 384, centres: centres, stream: 1)
        var (same, exact, approximate) = (0, 0, 0)
        for row in 0..<50 {
            let truth = try indexed.search(queries[row], scan: .cascade)
            let found = try indexed.search(queries[row], scan: .approximate)
            #expect(found.report.scan == .approximate && found.hits.count == 10)
            same += Set(truth.hits.map(\.number)).intersection(found.hits.map(\.number)).count
            exact += truth.report.sketched
            approximate += found.report.sketched
        }
        #expect(same >= 490 && approximate < exact, "\(same) of 500, \(approximate) rows for \(exact)")
    }

    /// What is being made reads what is there; what is added meanwhile does not disturb it.
    @Test func entriesMayBeAddedWhileItIsMade() throws {
        let indexed = IndexedVectors(VectorSet.clusters(40_000, 192, centres: 400))
        try indexed.append(0..<30_000)
        while indexed.index.sketches.build == nil { _ = try indexed.search(indexed.set[1]) }
        let build = try #require(indexed.index.sketches.build)
        try indexed.append(30_000..<40_000)
        build.wait()
        for row in [0, 29_999, 30_000, 39_999] { try indexed.check(indexed.set[row], scans: [.automatic], threads: 2) }
        #expect(try #require(indexed.index.sketches.sketch).count == 30_000)
    }
}
