import ArgumentParser
import CPlatform
import Glibc
import JobModel
import QueueStore

/// Enqueues one, claims one, settles one, over and over: one of several processes that contend for the file.
struct ContendBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "contend")
    @OptionGroup var store: StoreOptionsGroup
    @Option var seconds = 20
    @Flag(help: "Print ready, and begin when standard input ends.") var onGo = false

    func run() async throws {
        let store = try store.open()
        let worker = try await store.registerWorker()
        if onGo {
            Figures.line("ready")
            while readLine() != nil {}
        }
        var waits: [Int64] = []
        var rounds = 0
        var errors = 0
        var firstError: String?
        let request = ClaimRequest(worker: worker.id, queues: nil, providers: ["instant"], slots: 1, lease: 30_000, isIdle: true)
        let end = platform_monotonic_ns() + Int64(seconds) * 1_000_000_000
        while platform_monotonic_ns() < end {
            do {
                // No two processes ask the same: they would share an answer.
                try await Self.timed(&waits) { _ = try await store.enqueue(BenchJobs.make(Int(getpid()) * 10_000_000 + rounds)) }
                // There is one for each: whoever enqueues, claims one right after.
                let jobs = try await Self.timed(&waits) { try await store.claim(request).jobs }
                for job in jobs { try await Self.timed(&waits) { try await SettleBench.settle(job, store) } }
                rounds += jobs.count
            } catch {
                errors += 1
                firstError = firstError ?? "\(error)"
            }
        }
        try await store.unregisterWorker(worker.id)
        store.close()
        waits.sort()
        let p999 = waits.isEmpty ? 0 : waits[(waits.count * 999 + 999) / 1_000 - 1]
        Figures.report([
            "rounds": .integer(Int64(rounds)), "errors": .integer(Int64(errors)), "first_error": firstError.map { .string($0) } ?? .null,
            "p50_ms": .double(Double(Figures.percentile(waits, 50)) / 1e6), "p99_ms": .double(Double(Figures.percentile(waits, 99)) / 1e6),
            "p999_ms": .double(Double(p999) / 1e6), "max_ms": .double(Double(waits.last ?? 0) / 1e6),
        ])
    }

    private static func timed<Value>(_ waits: inout [Int64], _ body: () async throws -> Value) async rethrows -> Value {
        let began = platform_monotonic_ns()
        let value = try await body()
        waits.append(platform_monotonic_ns() - began)
        return value
    }
}
