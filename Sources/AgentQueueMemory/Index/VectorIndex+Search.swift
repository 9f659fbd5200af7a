import AgentQueueStore
import CAgentQueue

extension VectorIndex {
    /// Passes on the exact vectors of entries, given their numbers in ascending order. Entries that no longer exist are skipped. The bytes
    /// need not be aligned.
    package typealias ExactSource = (
        _ numbers: [Int64], _ body: (_ index: Int, _ vector: UnsafeRawBufferPointer) throws -> Void
    ) throws -> Void

    /// Finds the nearest entries.
    /// - Parameters:
    ///   - query: a vector of the index's dimension.
    ///   - limit: the maximum number of results.
    ///   - now: entries that have expired by then (wall clock, ms) are ignored.
    ///   - mask: one bit for each slot, 64 to a word, set for those that may be found; nil for all.
    ///   - bonus: added to the score of each slot, one value for each; nil for none.
    ///   - scan: how to scan. Without a sketch, every scan reads the codes.
    ///   - threads: the maximum number of threads.
    ///   - exact: passes on exact vectors.
    /// - Returns: the nearest entries, best first; among equal ones, the smaller memory id first.
    /// - Throws: `VectorError` for the query, and what `exact` throws.
    package func search(
        _ query: [Float], limit: Int, metric: VectorMetric, now: Int64, mask: [UInt64]? = nil, bonus: [Float]? = nil,
        scan: VectorScan = .automatic, threads: Int = 2, exact: ExactSource
    ) throws -> (hits: [VectorHit], report: ScanReport) {
        let query = try QuantizedQuery(query, dimension: dimension)
        guard limit > 0, count > 0 else { return ([], ScanReport(scan: .full)) }
        sketches.adopt()
        var allowed = allowed(mask)
        while true {
            let result = look(for: query, limit, metric, now, allowed, bonus, scan, threads)
            var ranking = ExactRanking(query, metric: metric, limit: limit, bonus: bonus)
            try ranking.rank(result.candidates, in: self, exact)
            // Entries that turned out to be gone have raised the threshold for the others. If that may have excluded one, scan again
            // without them.
            if ranking.missing.isEmpty || ranking.worst >= result.threshold {
                return (ranking.hits, report(result, scan, ranked: ranking.ranked))
            }
            for slot in ranking.missing { allowed[slot / 64] &= ~(1 << UInt64(slot % 64)) }
        }
    }

    /// Builds the sketch on this thread, if it is worthwhile for the dimension, without waiting for searches to trigger it.
    package func prepare() { sketches.prepare(chunks, slots: slots, level: level) }

    /// The slots that are alive and in the mask.
    private func allowed(_ mask: [UInt64]?) -> [UInt64] {
        guard let mask else { return live }
        return live.indices.map { $0 < mask.count ? live[$0] & mask[$0] : 0 }
    }

    private func look(
        for query: QuantizedQuery, _ limit: Int, _ metric: VectorMetric, _ now: Int64, _ allowed: [UInt64], _ bonus: [Float]?,
        _ scan: VectorScan, _ threads: Int
    ) -> ScanTask.Result {
        let choice = SketchKeeper.choice(of: allowed.reduce(0) { $0 + $1.nonzeroBitCount }, for: limit)
        let sketch = sketches.sketch(for: choice, scan).map { SketchQuery(query.unit, $0, share: scan == .approximate ? $0.usualShare : 1) }
        let bounds = ScoreBounds(query, metric: metric, level: level)
        func run(_ bonus: UnsafePointer<Float>?) -> ScanTask.Result {
            ScanTask(
                chunks: chunks, slots: slots, allowed: allowed, query: query, bounds: bounds, limit: limit, now: now, bonus: bonus,
                sketch: sketch
            ).run(threads: threads)
        }
        let result = bonus.map { $0.withUnsafeBufferPointer { run($0.baseAddress) } } ?? run(nil)
        sketches.note(result.counts, choice: choice, scan, chunks, slots: slots, level: level)
        return result
    }

    private func report(_ result: ScanTask.Result, _ scan: VectorScan, ranked: Int) -> ScanReport {
        let way: VectorScan = result.counts.bySketch == 0 ? .full : scan == .approximate ? .approximate : .cascade
        var report = ScanReport(scan: way)
        report.scanned = result.counts.scanned
        report.sketched = result.counts.byCodes
        report.candidates = result.candidates.count
        report.ranked = ranked
        report.threads = result.threads
        return report
    }
}

/// A vector found by a search.
package struct VectorHit: Sendable, Equatable {
    package var memoryID: Int64
    /// The number of its entry.
    package var number: Int64
    /// Its slot, valid until the index changes.
    package var slot: Int
    /// The score computed from the exact vectors in 64-bit floating point, including the bonus; larger is nearer.
    package var score: Double
    /// The score without the bonus.
    package var similarity: Double

    package init(memoryID: Int64, number: Int64, slot: Int, score: Double, similarity: Double) {
        self.memoryID = memoryID
        self.number = number
        self.slot = slot
        self.score = score
        self.similarity = similarity
    }
}

/// How a search scans the vectors. All but `approximate` find the true nearest neighbours.
package enum VectorScan: String, Sendable, CaseIterable {
    /// `cascade` if a sketch is ready and worthwhile, otherwise `full`.
    case automatic
    /// Reads the codes of all vectors.
    case full
    /// Reads a sketch of each vector first (64 bytes of its leading rotated dimensions), then the codes of those that a bound does not
    /// exclude.
    case cascade
    /// Like `cascade`, with a bound that holds for nearly all vectors: faster, but may miss a neighbour.
    case approximate
}

/// How a search arrived at its result.
package struct ScanReport: Sendable, Equatable {
    /// The scan that was used: never `automatic`.
    package var scan: VectorScan
    /// The number of vectors scanned: the live ones that pass the filter.
    package var scanned = 0
    /// Of these, how many the sketch did not exclude; all of them without a sketch.
    package var sketched = 0
    /// Of these, how many the codes did not exclude.
    package var candidates = 0
    /// Of these, how many were ranked by their exact vectors.
    package var ranked = 0
    package var threads = 1

    package init(scan: VectorScan) { self.scan = scan }
}

/// Measures elapsed time for reports.
struct Stopwatch {
    private let start = ContinuousClock.now

    /// The time since it was created, in µs.
    var microseconds: Int { Int((ContinuousClock.now - start) / .microseconds(1)) }
}
