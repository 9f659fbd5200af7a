import AgentQueueStore
import CAgentQueue

extension VectorIndex {
    /// Gives the exact vectors of entries by their numbers, ascending; those that are gone are passed over. The bytes need not be aligned.
    package typealias ExactSource = (
        _ numbers: [Int64], _ body: (_ index: Int, _ vector: UnsafeRawBufferPointer) throws -> Void
    ) throws -> Void

    /// Finds the nearest.
    /// - Parameters:
    ///   - query: as long as the index's dimension.
    ///   - limit: how many to find.
    ///   - now: what has expired by then (wall clock, ms) is not found.
    ///   - mask: a bit a place, 64 to a word, of those that may be found; nil is all.
    ///   - bonus: added to the score of each place, for weights: as many as there are places; nil is none.
    ///   - scan: how. Where there is no sketch, all go through the codes.
    ///   - threads: at most.
    ///   - exact: gives the exact vectors.
    /// - Returns: the nearest, the best first, of equal ones the smaller memory id first.
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
            // What is gone has raised what others had to reach. Where that may have cost one its place, they are asked again.
            if ranking.missing.isEmpty || ranking.worst >= result.threshold {
                return (ranking.hits, report(result, scan, ranked: ranking.ranked))
            }
            for slot in ranking.missing { allowed[slot / 64] &= ~(1 << UInt64(slot % 64)) }
        }
    }

    /// Makes the sketch now, as far as it is worth it for the dimension, on this thread: searches need not come first.
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

/// A vector that a search found.
package struct VectorHit: Sendable, Equatable {
    /// Its memory.
    package var memoryID: Int64
    /// Its entry's number.
    package var number: Int64
    /// Its place in the index, valid until that changes.
    package var slot: Int
    /// How near it is, from the exact vectors in 64-bit floats, larger is nearer; bonus included.
    package var score: Double
    /// The same without the bonus.
    package var similarity: Double

    /// Makes one.
    package init(memoryID: Int64, number: Int64, slot: Int, score: Double, similarity: Double) {
        self.memoryID = memoryID
        self.number = number
        self.slot = slot
        self.score = score
        self.similarity = similarity
    }
}

/// How a search goes through the vectors. All but `approximate` find the true nearest.
package enum VectorScan: String, Sendable, CaseIterable {
    /// `cascade` where it is ready and worth it, else `full`.
    case automatic
    /// The codes of all vectors.
    case full
    /// First a sketch of each vector, 64 bytes of its leading rotated dimensions, and the codes only of those that a bound leaves.
    case cascade
    /// As `cascade`, with a bound that holds for nearly all: faster, and a neighbour may be missed.
    case approximate
}

/// How a search came to its answer.
package struct ScanReport: Sendable, Equatable {
    /// How it went through the vectors: never `automatic`.
    package var scan: VectorScan
    /// How many vectors it looked at: those alive that the filter left.
    package var scanned = 0
    /// Of these, how many the sketch left; all of them without a sketch.
    package var sketched = 0
    /// Of these, how many the codes left as candidates.
    package var candidates = 0
    /// Of these, how many were ranked by their exact vectors.
    package var ranked = 0
    /// How many threads.
    package var threads = 1

    /// Makes one.
    package init(scan: VectorScan) { self.scan = scan }
}

/// Measures how long something took, for reports.
struct Stopwatch {
    private let start = ContinuousClock.now

    /// The time since it was made, in µs.
    var microseconds: Int { Int((ContinuousClock.now - start) / .microseconds(1)) }
}
