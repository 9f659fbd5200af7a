import AgentQueueStore
import AgentQueueTestSupport
import Testing

@testable import AgentQueueMemory

/// The nearest that an index finds are the nearest, whichever way it goes.
@Suite struct ExactnessTests {
    /// 200 queries over 100,000 vectors in three metrics: first of all, then of what deletes, updates, expiry and a filter have left.
    @Test(arguments: [384, 1_536]) func theTopTenAreTheTrueTopTen(_ dimension: Int) throws {
        let count = 100_000
        let set = VectorSet.clusters(count, dimension, centres: 500, spread: 3)
        let queries = VectorSet.clusters(200, dimension, centres: 500, spread: 3, stream: 1)
        let indexed = IndexedVectors(set)
        // The last tenth comes as updates of the first memories; every 13th expires.
        let first = count * 9 / 10
        func expiry(_ row: Int) -> Int64 { row % 13 == 0 ? 1_000 + Int64(row % 5) : .max }
        try indexed.append(0..<first, expiresAt: expiry)
        indexed.index.prepare()
        let all = [UInt8](repeating: 1, count: first) + [UInt8](repeating: 0, count: count - first)
        for number in 0..<200 {
            let scans: [VectorScan] = number < 20 ? [.full, .cascade] : number % 2 == 0 ? [.full] : [.cascade]
            try indexed.check(queries[number], allowed: all, scans: scans, threads: 1 + number / 2 % 2, "query \(number)")
        }

        var chance = SeededGenerator(seed: UInt64(dimension))
        var allowed = all
        var changes: [Int64: Int64] = [:]
        for row in first..<count {
            // The row's vector is what that memory holds now.
            changes[Int64(row - first) * 3] = Int64(row + 1)
            allowed[(row - first) * 3] = 0
            allowed[row] = 1
        }
        for _ in 0..<2_000 {
            let row = Int.random(in: first / 2..<first, using: &chance)
            changes[Int64(row)] = .max
            allowed[row] = 0
        }
        let before = indexed.index.count
        try indexed.append(first..<count, memoryID: { Int64($0 - first) * 3 }, expiresAt: expiry)
        let forgotten = indexed.index.forget(changes)
        #expect(indexed.index.count == before + (count - first) - forgotten && forgotten > count / 10)
        #expect(indexed.index.generation == 0)
        for row in 0..<count where expiry(row) <= 1_002 { allowed[row] = 0 }
        // Without compaction, places are rows.
        for number in 0..<200 {
            let share = [1.0, 0.5, 0.2, 0.05, 0.01][number % 5]
            var mask = [UInt64](repeating: 0, count: (count + 63) / 64)
            var passed = allowed
            for row in 0..<count {
                if share == 1 || chance.next() % 1_000 < UInt64(share * 1_000) {
                    mask[row / 64] |= 1 << UInt64(row % 64)
                } else {
                    passed[row] = 0
                }
            }
            let bonus = number % 3 == 0 ? (0..<count).map { Float($0 % 100) / 300 } : nil
            let scans: [VectorScan] = number < 20 ? [.full, .cascade] : number % 2 == 0 ? [.full] : [.cascade]
            try indexed.check(
                queries[number], now: 1_002, allowed: passed, mask: number % 10 == 0 ? nil : mask, bonus: bonus.map { ($0, $0) },
                scans: scans, threads: 1 + number / 2 % 2, "query \(number) of \(share)")
        }
    }
}
