import AgentQueueStore
import CAgentQueue
import CAgentQueueReference
import Testing

@testable import AgentQueueMemory

/// An index, and what its entries are: the row of a set for each number.
final class IndexedVectors {
    let set: VectorSet
    let index: VectorIndex
    /// The row of each number, from 1.
    private(set) var rows: [Int] = [-1]
    /// Numbers whose exact vectors are not to be had.
    var gone: Set<Int64> = []
    /// How many exact vectors were fetched.
    private(set) var fetched = 0

    init(_ set: VectorSet, level: vectors_level = vectors_best()) {
        self.set = set
        index = VectorIndex(dimension: set.dimension, level: level)
    }

    /// Takes in rows as a block, in order, each as a memory of its own unless told.
    func append(
        _ range: some Sequence<Int>, memoryID: (Int) -> Int64 = { Int64($0) }, expiresAt: (Int) -> Int64 = { _ in .max },
        createdAt: (Int) -> Int64 = { Int64($0) }
    ) throws {
        var (heads, codes): ([UInt8], [UInt8]) = ([], [])
        for row in range {
            rows.append(row)
            let vector = try MemoryVector(set[row])
            func add<Value>(_ value: Value) { withUnsafeBytes(of: value) { heads.append(contentsOf: $0) } }
            add(Int64(rows.count - 1))
            add(memoryID(row))
            add(expiresAt(row))
            add(createdAt(row))
            for value in [Float(0.5), vector.scale, vector.error, vector.norm] { add(value) }
            codes.append(contentsOf: vector.codes)
            if codes.count > 1 << 20 { try flush(&heads, &codes) }
        }
        try flush(&heads, &codes)
    }

    private func flush(_ heads: inout [UInt8], _ codes: inout [UInt8]) throws {
        try heads.withUnsafeBytes { heads in
            try codes.withUnsafeBytes { codes in try index.append(MemoryBlock(heads: heads, codes: codes)) }
        }
        (heads, codes) = ([], [])
    }

    /// Searches.
    func search(
        _ query: [Float], limit: Int = 10, metric: VectorMetric = .cosine, now: Int64 = 0, mask: [UInt64]? = nil, bonus: [Float]? = nil,
        scan: VectorScan = .automatic, threads: Int = 1
    ) throws -> (hits: [VectorHit], report: ScanReport) {
        try index.search(
            query, limit: limit, metric: metric, now: now, mask: mask, bonus: bonus, scan: scan, threads: threads, exact: exact)
    }

    private func exact(_ numbers: [Int64], _ body: (Int, UnsafeRawBufferPointer) throws -> Void) throws {
        #expect(numbers == numbers.sorted())
        for (place, number) in numbers.enumerated() where !gone.contains(number) {
            fetched += 1
            try body(place, set.bytes(rows[Int(number)]))
        }
    }

    /// Says how hits differ from what brute force finds; nil where they do not. Of equal scores any may come first.
    /// - Parameter inexact: the most that brute force may be off, of a score.
    func difference(
        _ hits: [VectorHit], _ expected: [(row: Int, score: Double)], inexact: (Double) -> Double, _ scoreOf: (Int) -> Double
    ) -> String? {
        guard hits.count == expected.count else { return "\(hits.count) hits, not \(expected.count)" }
        guard Set(hits.map(\.slot)).count == hits.count else { return "a hit twice" }
        for (place, (hit, best)) in zip(hits, expected).enumerated() {
            let tolerance = inexact(best.score)
            let own = scoreOf(rows[Int(hit.number)])
            guard abs(hit.score - best.score) <= tolerance, abs(own - hit.score) <= tolerance else {
                return "place \(place): row \(rows[Int(hit.number)]), \(hit.score) and by force \(own), not row \(best.row), \(best.score)"
            }
        }
        return nil
    }

    /// Compares a search with brute force over rows that are each one entry's.
    func check(
        _ query: [Float], limit: Int = 10, metrics: [VectorMetric] = VectorMetric.allCases, now: Int64 = 0, allowed: [UInt8]? = nil,
        mask: [UInt64]? = nil, bonus: (slots: [Float], rows: [Float])? = nil, scans: [VectorScan], threads: Int = 1, _ what: String = ""
    ) throws {
        let dots = set.dots(query)
        let square = query.reduce(0.0) { $0 + Double($1) * Double($1) }
        for metric in metrics {
            let expected = set.best(metric, query, dots, allowed: allowed, bonus: bonus?.rows, limit: limit)
            for scan in scans {
                let found = try search(
                    query, limit: limit, metric: metric, now: now, mask: mask, bonus: bonus?.slots, scan: scan, threads: threads)
                // A distance is computed of dot products, which cancel each other where it is small.
                let most = square + (set.squares.max() ?? 0)
                let inexact = { (score: Double) -> Double in
                    switch metric {
                    case .cosine: 1e-9
                    case .dot: 1e-12 * most
                    case .euclidean: 1e-9 * abs(score) + 1e-12 * most / max(abs(score), 1e-6 * most.squareRoot())
                    }
                }
                let difference = difference(found.hits, expected, inexact: inexact) { row in
                    Double(bonus?.rows[row] ?? 0) + reference_score(metric.reference, dots[row], set.squares[row], square)
                }
                #expect(difference == nil, "\(what) \(metric) \(scan): \(difference ?? "") \(found.report)")
            }
        }
    }
}
