import CPlatform
import JobModel
import VectorMemory

/// Searches an index for many vectors, and reports how that went.
struct VectorRun {
    let index: VectorIndex
    let vectors: VectorFile
    let queries: [[Float]]
    /// The true nearest of the first queries, by cosine and among all.
    let truth: [Set<Int>]
    let limit: Int
    let rounds: Int

    /// Prints p50 and p99, how many vectors each step left on average, and the share of the true nearest that were found.
    func report(_ name: String, _ scan: VectorScan, metric: VectorMetric = .cosine, threads: Int = 1, mask: [UInt64]? = nil) throws {
        var times: [Int64] = []
        var (sketched, candidates, ranked, found) = (0, 0, 0, 0)
        var way = scan
        // Once without the clock: memory that was not touched for long has to come back.
        for round in 0...rounds {
            for (number, query) in queries.enumerated() {
                let began = platform_monotonic_ns()
                let (hits, report) = try index.search(
                    query, limit: limit, metric: metric, now: 0, mask: mask, scan: scan, threads: threads, exact: vectors.exact)
                if round > 0 { times.append(platform_monotonic_ns() - began) }
                if round == 1, number < truth.count { found += truth[number].intersection(hits.map { Int($0.memoryID) }).count }
                sketched += report.sketched
                candidates += report.candidates
                ranked += report.ranked
                way = report.scan
            }
        }
        times.sort()
        let searches = Double(queries.count * (rounds + 1))
        let all = truth.reduce(0) { $0 + $1.count }
        // Of vectors of other lengths, and of some of them, others are the nearest.
        let isCompared = metric == .cosine && mask == nil && all > 0
        Figures.report([
            "mode": .string(name), "scan": .string(way.rawValue), "threads": .integer(Int64(threads)),
            "p50_ms": .double(Double(Figures.percentile(times, 50)) / 1e6), "p99_ms": .double(Double(Figures.percentile(times, 99)) / 1e6),
            "min_ms": .double(Double(times.first ?? 0) / 1e6), "sketched": .double(Double(sketched) / searches),
            "candidates": .double(Double(candidates) / searches), "ranked": .double(Double(ranked) / searches),
            "recall": isCompared ? .double(Double(found) / Double(all)) : .null,
        ])
    }
}
