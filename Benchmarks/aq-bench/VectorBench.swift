import ArgumentParser
import CPlatform
import JobModel
import QueueStore
import VectorMemory

/// How long a search of an index in memory takes, each way, and whether it finds the true nearest. Prints one JSON object a way.
struct VectorBench: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "vectors")
    @Option(help: "Vectors: Float32, little-endian, one after the other.") var data: String
    @Option(help: "Vectors to search for, in the same form.") var queries: String
    @Option(help: "Values of a vector.") var dim = 384
    @Option(help: "How many of the vectors to take; 0 is all.") var count = 0
    @Option(help: "Results of a search.") var limit = 10
    @Option(help: "How often each vector is searched for.") var rounds = 3
    @Option(help: "Queries that are compared with brute force.") var compared = 20

    func run() throws {
        let (vectors, queries) = (try VectorFile(data, dimension: dim), try VectorFile(queries, dimension: dim))
        let vectorCount = count > 0 ? min(count, vectors.count) : vectors.count
        let before = Resident.bytes
        let index = VectorIndex(dimension: dim)
        let filling = try fill(index, vectors, vectorCount)
        Figures.report([
            "vectors": .integer(Int64(vectorCount)), "dimension": .integer(Int64(dim)), "quantise_s": .double(filling.quantise),
            "append_s": .double(filling.append), "resident_bytes": .integer(Resident.bytes - before),
            "index_bytes": .integer(Int64(index.bytes)), "kernel": .string(kernel),
        ])
        let asked = (0..<queries.count).map { queries[$0] }
        // The truth first: it does not count.
        let truth = asked.prefix(compared).map { vectors.nearest($0, vectorCount, limit) }
        let run = VectorRun(index: index, vectors: vectors, queries: asked, truth: truth, limit: limit, rounds: rounds)
        for threads in [1, 2] { try run.report("full", .full, threads: threads) }
        for metric in [VectorMetric.dot, .euclidean] { try run.report("full_\(metric.rawValue)", .full, metric: metric) }
        let began = platform_monotonic_ns()
        index.prepare()
        let seconds = Double(platform_monotonic_ns() - began) / 1e9
        Figures.report([
            "prepare_s": .double(seconds), "resident_bytes": .integer(Resident.bytes - before), "index_bytes": .integer(Int64(index.bytes)),
        ])
        for threads in [1, 2] { try run.report("cascade", .cascade, threads: threads) }
        for metric in [VectorMetric.dot, .euclidean] { try run.report("cascade_\(metric.rawValue)", .cascade, metric: metric) }
        try run.report("approximate", .approximate)
        for percent in [1, 10, 50] { try run.report("filtered_\(percent)_percent", .automatic, mask: mask(percent, vectorCount)) }
        Figures.report(["resident_bytes": .integer(Resident.bytes - before)])
    }

    /// The instructions that the kernels are written in here.
    private var kernel: String {
        switch vectors_best() {
        case .plain: "plain"
        case .avx2: "avx2"
        case .avx512: "avx512"
        case .neon: "neon"
        case .neonDot: "neon_dot"
        }
    }

    /// Fills it with blocks of 100, as a batch of memories makes them.
    private func fill(_ index: VectorIndex, _ vectors: VectorFile, _ count: Int) throws -> (quantise: Double, append: Double) {
        var (quantise, append) = (Int64(0), Int64(0))
        for start in stride(from: 0, to: count, by: 100) {
            let began = platform_monotonic_ns()
            let block = try VectorBlock(vectors, start..<min(start + 100, count))
            let made = platform_monotonic_ns()
            try block.append(to: index)
            quantise += made - began
            append += platform_monotonic_ns() - made
        }
        return (Double(quantise) / 1e9, Double(append) / 1e9)
    }

    /// So many of a hundred, without a pattern.
    private func mask(_ percent: Int, _ count: Int) -> [UInt64] {
        var mask = [UInt64](repeating: 0, count: (count + 63) / 64)
        var state: UInt64 = 1
        for slot in 0..<count {
            state = state &* 0xD134_2543_DE82_EF95 &+ 1
            if state >> 32 % 100 < UInt64(percent) { mask[slot / 64] |= 1 << UInt64(slot % 64) }
        }
        return mask
    }
}
