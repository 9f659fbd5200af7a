import AgentQueueMemory
import AgentQueueModel
import AgentQueueStore
import ArgumentParser
import CAgentQueue
import Foundation

/// How fast memories are stored, in batches and one by one, how fast an index opens from them, and how large they are.
struct RememberBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remember")
    @OptionGroup var store: StoreOptionsGroup
    @Option(help: "Memories stored in batches.") var memories = 100_000
    @Option(help: "Values of a vector.") var dimension = 384
    @Option(help: "Memories in a batch.") var batch = 100
    @Option(help: "Batches on their way at once.") var tasks = 2
    @Option(help: "Memories stored one by one.") var single = 2_000
    @Option(help: "Entries whose exact vectors are fetched.") var fetches = 20_000
    @Flag(help: "Each has a key of its own, so that none is looked for by its text.") var keys = false

    private static let model = VectorModel(target: "bench/e")

    func run() async throws {
        let store = try store.open()
        defer { store.close() }
        let vectors = Self.vectors(count: 4_096, dimension: dimension)
        let one = try await Figures.seconds {
            for number in 0..<single {
                _ = try await store.memories.remember([Self.memory(number, vectors)], in: "single", model: Self.model)
            }
        }
        let (memories, batch, keys) = (memories, batch, keys)
        let tickets = Tickets(memories / batch)
        let many = try await Figures.cost {
            try await withThrowingTaskGroup { group in
                for _ in 0..<tasks {
                    group.addTask {
                        while let number = tickets.take() {
                            let slice = try (number * batch..<(number + 1) * batch).map { try Self.memory($0, vectors, key: keys) }
                            _ = try await store.memories.remember(slice, in: "batches", model: Self.model)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        let again = try await Figures.seconds {
            for number in 0..<min(100, memories / batch) {
                let slice = try (number * batch..<(number + 1) * batch).map { try Self.memory($0, vectors, key: keys) }
                _ = try await store.memories.remember(slice, in: "batches", model: Self.model)
            }
        }
        let opening = try await opening(store)
        let fetch = try await fetching(store, opening.numbers)
        let count = Double(max(1, fetches / 20 * 20))
        let bytes = try store.maintenance.statistics().databaseBytes
        let compaction = try await Figures.seconds { try await store.maintenance.compactMemory() }
        let reopening = try await self.opening(store)
        Figures.report([
            "per_s": .double((Double(memories / batch * batch) / many.seconds).rounded()),
            "cpu_us": .double(many.cpu * 1e6 / Double(memories)),
            "one_by_one_per_s": .double((Double(single) / one).rounded()),
            "ratio": .double((Double(memories) / many.seconds) / (Double(single) / one)),
            "duplicates_per_s": .double((Double(min(100, memories / batch) * batch) / again).rounded()),
            "opening_s": .double(opening.seconds), "entries": .integer(Int64(opening.numbers.count)),
            "fetch_us": .double(fetch.seconds * 1e6 / count), "fetch_cpu_us": .double(fetch.cpu * 1e6 / count),
            "file_mb": .double(Double(bytes) / 1e6), "compaction_s": .double(compaction),
            "reopening_s": .double(reopening.seconds),
        ])
    }

    private static func memory(_ number: Int, _ vectors: [[Float]], key: Bool = false) throws -> NewMemory {
        let text = "a memory of forty bytes or so, number \(number)"
        let vector = try MemoryVector(vectors[number % vectors.count])
        return NewMemory(text, key: key ? "\(1_000_000_000 + number)" : nil, vector: vector)
    }

    /// Reads all heads and codes, as an index in memory does.
    private func opening(_ store: QueueStore) async throws -> (seconds: Double, numbers: [Int64]) {
        var numbers: [Int64] = []
        var sum: UInt64 = 0
        let seconds = try await Figures.seconds {
            try store.memories.withSnapshot { snapshot in
                guard let space = try snapshot.namespace(named: "batches")?.space else { return }
                _ = try snapshot.changes(of: space, after: 0) { change in
                    guard case .entries(let block) = change else { return }
                    for index in 0..<block.count { numbers.append(block.entry(index).number) }
                    block.codes.withMemoryRebound(to: UInt64.self) { words in for word in words { sum &+= word } }
                }
            }
        }
        // So that reading them is not left out.
        guard sum != 1 else { throw ValidationError("an unlikely sum") }
        return (seconds, numbers)
    }

    /// What the exact vectors of entries take, taken at random, by twenties.
    private func fetching(_ store: QueueStore, _ numbers: [Int64]) async throws -> (seconds: Double, cpu: Double) {
        guard !numbers.isEmpty else { return (0, 0) }
        var chance = SystemRandomNumberGenerator()
        let slices = (0..<fetches / 20).map { _ in
            (0..<20).map { _ in numbers[Int.random(in: numbers.indices, using: &chance)] }.sorted()
        }
        var sum: UInt8 = 0
        return try await Figures.cost {
            for slice in slices {
                try store.memories.withSnapshot { snapshot in
                    guard let space = try snapshot.namespace(named: "batches")?.space else { return }
                    try snapshot.vectors(slice, of: space) { sum &+= $1[$0] }
                }
            }
        }
    }

    private static func vectors(count: Int, dimension: Int) -> [[Float]] {
        var state: UInt64 = 7
        return (0..<count).map { _ in
            (0..<dimension).map { _ in
                state = state &* 0xD134_2543_DE82_EF95 &+ 1
                return Float(Int32(truncatingIfNeeded: state >> 32)) / Float(Int32.max)
            }
        }
    }
}

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
        if try store.memories.withSnapshot({ try $0.namespace(named: Self.namespace) != nil }) { return nil }
        let model = VectorModel(target: "-")
        let vectors = try RawVectors(path: data, dimension: dimension)
        let count = min(rows ?? .max, vectors.count)
        return try await Figures.seconds {
            for start in stride(from: 0, to: count, by: batch) {
                let memories = try (start..<min(start + batch, count)).map { row in
                    NewMemory("passage \(row) of the benchmark's", vector: try MemoryVector(vectors[row]))
                }
                _ = try await store.memories.remember(memories, in: Self.namespace, model: model)
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
