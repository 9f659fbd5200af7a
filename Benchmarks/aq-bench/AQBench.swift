import AgentQueueModel
import AgentQueueStore
import ArgumentParser
import CAgentQueue
import Glibc

/// What the store and the worker do in a second. `Benchmarks/run` compares it with the yardstick, in one run.
@main
struct AQBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aq-bench", abstract: "Measures the store and the worker; every command prints one JSON object.",
        subcommands: [
            EnqueueBench.self, SettleBench.self, ClaimBench.self, ContendBench.self, Producer.self, InstantWorker.self, ModelServer.self,
            CacheBench.self, Summary.self, PredecessorBench.self, CoalesceBench.self, RecallBench.self, RememberBench.self,
            VectorBench.self, RunsBench.self,
        ])
}

/// Where the database is, and how durable.
struct StoreOptionsGroup: ParsableArguments {
    @Argument(help: "The database.") var database: String
    @Option(help: "full or normal.") var durability: String = "full"

    func open() throws -> QueueStore {
        try QueueStore(path: database, options: StoreOptions(durability: Durability(rawValue: durability) ?? .full))
    }
}

/// How figures are taken and printed.
enum Figures {
    /// Seconds that `body` takes.
    static func seconds(_ body: () async throws -> Void) async rethrows -> Double {
        let began = platform_monotonic_ns()
        try await body()
        return Double(platform_monotonic_ns() - began) / 1e9
    }

    /// Seconds that `body` takes, and seconds of processors that the process spends on it: what counts where others want them too.
    static func cost(_ body: () async throws -> Void) async rethrows -> (seconds: Double, cpu: Double) {
        let before = processorSeconds
        let seconds = try await seconds(body)
        return (seconds, processorSeconds - before)
    }

    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Prints one JSON object.
    static func report(_ members: KeyValuePairs<String, JSONValue>) {
        print(JSONValue.object(members.map { JSONValue.Member($0.key, $0.value) }).text)
    }

    /// Writes one line at once: whoever reads it waits for it.
    static func line(_ text: String) {
        let bytes = Array((text + "\n").utf8)
        _ = write(STDOUT_FILENO, bytes, bytes.count)
    }

    /// The nearest-rank percentile of sorted values.
    static func percentile(_ sorted: [Int64], _ percent: Int) -> Int64 {
        sorted.isEmpty ? 0 : sorted[max(0, (sorted.count * percent + 99) / 100 - 1)]
    }
}

/// How many jobs are in each state, and whether the database is sound.
struct Summary: AsyncParsableCommand {
    @OptionGroup var store: StoreOptionsGroup

    func run() async throws {
        let store = try store.open()
        let statistics = try store.maintenance.statistics()
        let faults = try store.maintenance.check().faults
        store.close()
        Figures.report([
            "completed": .integer(Int64(statistics.count(.completed))), "available": .integer(Int64(statistics.count(.available))),
            "running": .integer(Int64(statistics.count(.running))), "calls": .integer(Int64(statistics.lanes.reduce(0) { $0 + $1.calls })),
            "faults": .array(faults.map { .string($0) }),
        ])
    }
}

/// What the process holds in memory.
enum Resident {
    /// Its own pages, without those of files (`RssAnon`), in bytes.
    static var bytes: Int64 {
        guard let file = fopen("/proc/self/status", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, 256, file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("RssAnon:") else { continue }
            return (Int64(text.split(whereSeparator: { !$0.isNumber }).first ?? "") ?? 0) * 1_024
        }
        return 0
    }
}
