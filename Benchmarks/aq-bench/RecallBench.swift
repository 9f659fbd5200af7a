import ArgumentParser
import CPlatform
import Foundation
import JobModel
import QueueStore
import VectorMemory

/// Searches memories in a real database, as a worker does: stores the rows of a file, unless they are there already, prints what that
/// took, and then answers all queries once for each line that it reads. `Benchmarks/vectors` asks it in turn with its peers.
struct RecallBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "recall")
    @OptionGroup var store: StoreOptionsGroup
    @Option(help: "The vectors: Float32, little-endian, row after row.") var data: String
    @Option(help: "How many rows of it.") var rows: Int?
    @Option(help: "The queries, in the same form.") var queries: String
    @Option(help: "How many values a vector has.") var dimension = 384
    @Option(help: "How many rows to store in a transaction.") var batch = 1_000
    @Option(help: "How many memories to find.") var limit = 10

    private static let namespace = "bench"

    func run() async throws {
        let store = try store.open()
        let stored = try await fill(store)
        let search = MemorySearch(store)
        let vectors = try RawVectors(path: queries, dimension: dimension)
        let queries = (0..<vectors.count).map { row in
            var query = MemoryQuery(namespaces: [Self.namespace], vector: vectors[row])
            query.limit = limit
            return query
        }
        let opening = try await Figures.seconds { _ = try await search.answer([queries[0]]) }
        Figures.line(
            JSONValue.object([
                .init("store_s", stored.map { .double($0) } ?? .null), .init("open_s", .double(opening)),
                .init("rss_mb", .integer(Self.residentBytes / 1_000_000)), .init("file_mb", .integer(try fileBytes() / 1_000_000)),
            ]).text)
        while readLine() != nil { Figures.line(try await measure(queries, search).text) }
        store.close()
    }

    /// Seconds that storing took; nil where the rows are there already.
    private func fill(_ store: QueueStore) async throws -> Double? {
        if try store.readMemories({ try $0.namespace(named: Self.namespace) != nil }) { return nil }
        let model = VectorModel(target: "-")
        let vectors = try RawVectors(path: data, dimension: dimension)
        let count = min(rows ?? .max, vectors.count)
        return try await Figures.seconds {
            for start in stride(from: 0, to: count, by: batch) {
                let memories = try (start..<min(start + batch, count)).map { row in
                    NewMemory("passage \(row) of the benchmark's", vector: try MemoryVector(vectors[row]))
                }
                _ = try await store.remember(memories, in: Self.namespace, model: model)
            }
        }
    }

    /// Every query once, each by itself.
    private func measure(_ queries: [MemoryQuery], _ search: MemorySearch) async throws -> JSONValue {
        var times: [Int64] = []
        var hits: [JSONValue] = []
        var last: ScanReport?
        for query in queries {
            let began = platform_monotonic_ns()
            let answer = try await search.answer([query])[0]
            times.append(platform_monotonic_ns() - began)
            hits.append(.array(answer.hits.map { .integer(Int64($0.memory.text.split(separator: " ")[1]) ?? -1) }))
            last = answer.reports.first?.scan
        }
        times.sort()
        return .object([
            .init("p50_ms", .double(Double(Figures.percentile(times, 50)) / 1e6)),
            .init("p99_ms", .double(Double(Figures.percentile(times, 99)) / 1e6)), .init("hits", .array(hits)),
            .init("scan", .string(last?.scan.rawValue ?? "-")), .init("candidates", .integer(Int64(last?.candidates ?? 0))),
            .init("ranked", .integer(Int64(last?.ranked ?? 0))), .init("rss_mb", .integer(Self.residentBytes / 1_000_000)),
        ])
    }

    private func fileBytes() throws -> Int64 {
        Int64(try FileManager.default.attributesOfItem(atPath: store.database)[.size] as? Int ?? 0)
    }

    /// What the process holds in memory of its own, without files that are mapped.
    private static var residentBytes: Int64 {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int64($0) } ?? 0) << 10
    }
}
