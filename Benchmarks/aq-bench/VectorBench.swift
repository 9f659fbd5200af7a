import AgentQueueMemory
import AgentQueueModel
import AgentQueueStore
import ArgumentParser
import CAgentQueue
import Foundation
import Glibc

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

/// Rows of a file as a block of entries: each a memory of its own, with the row as its id.
struct VectorBlock {
    private var heads: [UInt8] = []
    private var codes: [UInt8]

    init(_ vectors: VectorFile, _ rows: Range<Int>) throws {
        let dimension = vectors.dimension
        codes = [UInt8](repeating: 0, count: rows.count * dimension)
        heads.reserveCapacity(rows.count * MemoryEntry.byteCount)
        for (place, row) in rows.enumerated() {
            var form = vectors_quantization()
            let isVector = codes.withUnsafeMutableBufferPointer { codes in
                codes.baseAddress.map { vectors_quantize(vectors.pointer(row), dimension, $0 + place * dimension, &form) } ?? false
            }
            guard isVector else { throw ValidationError("row \(row) has no direction") }
            for number in [Int64(row + 1), Int64(row), .max, 1_700_000_000_000] { add(number) }
            for value in [Float(0.5), form.scale, form.error, form.norm] { add(value) }
        }
    }

    private mutating func add<Value>(_ value: Value) { withUnsafeBytes(of: value) { heads.append(contentsOf: $0) } }

    /// Lets an index take it in.
    func append(to index: VectorIndex) throws {
        try heads.withUnsafeBytes { heads in
            try codes.withUnsafeBytes { codes in try index.append(MemoryBlock(heads: heads, codes: codes)) }
        }
    }
}

/// Vectors in a file: Float32, little-endian, one after the other. Mapped, for as long as the process runs.
struct VectorFile {
    let dimension: Int
    let count: Int
    private let values: UnsafePointer<Float>

    init(_ path: String, dimension: Int) throws {
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        let bytes = descriptor < 0 ? 0 : Int(lseek(descriptor, 0, SEEK_END))
        let stride = dimension * MemoryLayout<Float>.size
        guard dimension > 0, bytes >= stride, bytes % stride == 0,
            let start = mmap(nil, bytes, PROT_READ, MAP_SHARED, descriptor, 0), start != MAP_FAILED
        else { throw ValidationError("\(path) does not hold vectors of \(dimension) values") }
        self.dimension = dimension
        count = bytes / stride
        values = UnsafePointer(start.bindMemory(to: Float.self, capacity: count * dimension))
    }

    /// Where one begins.
    func pointer(_ row: Int) -> UnsafePointer<Float> { values + row * dimension }

    subscript(_ row: Int) -> [Float] { Array(UnsafeBufferPointer(start: pointer(row), count: dimension)) }

    /// Gives the exact vectors of entries, whose numbers are those of the rows from 1.
    func exact(_ numbers: [Int64], _ body: (Int, UnsafeRawBufferPointer) throws -> Void) throws {
        for (place, number) in numbers.enumerated() {
            try body(place, UnsafeRawBufferPointer(start: pointer(Int(number) - 1), count: dimension * MemoryLayout<Float>.size))
        }
    }

    /// The rows that are nearest by cosine, of the first so many, in 64-bit floats.
    func nearest(_ query: [Float], _ rows: Int, _ limit: Int) -> Set<Int> {
        var best: [(score: Double, row: Int)] = []
        for row in 0..<rows {
            var (dot, square, difference) = (0.0, 0.0, 0.0)
            vectors_compare(query, pointer(row), dimension, &dot, &square, &difference)
            let score = dot / square.squareRoot()
            if best.count == limit, let last = best.last, score <= last.score { continue }
            let place = best.firstIndex { $0.score < score } ?? best.count
            best.insert((score, row), at: place)
            if best.count > limit { best.removeLast() }
        }
        return Set(best.map(\.row))
    }
}

/// The vectors of a file: Float32, little-endian, row after row. The file is mapped, so that only what is looked at is in memory.
struct RawVectors {
    /// How many values a vector has.
    let dimension: Int
    private let bytes: Data

    /// Opens a file.
    init(path: String, dimension: Int) throws {
        self.dimension = dimension
        bytes = try Data(contentsOf: URL(filePath: path), options: .alwaysMapped)
    }

    /// How many there are.
    var count: Int { bytes.count / width }

    /// One of them.
    subscript(row: Int) -> [Float] {
        bytes.withUnsafeBytes { bytes in
            [Float](unsafeUninitializedCapacity: dimension) { values, count in
                UnsafeMutableRawBufferPointer(values).copyMemory(from: .init(rebasing: bytes[row * width..<(row + 1) * width]))
                count = dimension
            }
        }
    }

    private var width: Int { dimension * MemoryLayout<Float>.size }
}
