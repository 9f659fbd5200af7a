import AgentQueueModel
import AgentQueueStore
import AgentQueueWorker
import ArgumentParser
import CAgentQueue
import Glibc
import Logging

/// Enqueues one, claims one, settles one, over and over: one of several processes that contend for the file.
struct ContendBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "contend")
    @OptionGroup var store: StoreOptionsGroup
    @Option var seconds = 20
    @Flag(help: "Print ready, and begin when standard input ends.") var onGo = false

    func run() async throws {
        let store = try store.open()
        let worker = try await store.claims.registerWorker()
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
                try await Self.timed(&waits) { _ = try await store.jobs.enqueue(BenchJobs.make(Int(getpid()) * 10_000_000 + rounds)) }
                // There is one for each: whoever enqueues, claims one right after.
                let jobs = try await Self.timed(&waits) { try await store.claims.claim(request).jobs }
                for job in jobs { try await Self.timed(&waits) { try await SettleBench.settle(job, store) } }
                rounds += jobs.count
            } catch {
                errors += 1
                firstError = firstError ?? "\(error)"
            }
        }
        try await store.claims.unregisterWorker(worker.id)
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

/// Enqueues jobs one by one from several tasks, as a program would; with `--interval`, one at a time with pauses, printing
/// the time of each commit.
struct Producer: AsyncParsableCommand {
    @OptionGroup var store: StoreOptionsGroup
    @Option var jobs = 10_000
    @Option var tasks = 64
    @Option(help: "Pause before each job, in ms: at random between this and twice this.") var interval: Int?

    func run() async throws {
        let store = try store.open()
        if let interval {
            for number in 0..<jobs {
                try await Task.sleep(for: .milliseconds(Int.random(in: interval...2 * interval)))
                let receipt = try await store.jobs.enqueue(BenchJobs.make(number))
                Figures.line("P \(receipt.id) \(platform_monotonic_ns())")
            }
        } else {
            let tickets = Tickets(jobs)
            try await withThrowingTaskGroup { group in
                for _ in 0..<tasks {
                    group.addTask {
                        while let number = tickets.take() {
                            _ = try await store.jobs.enqueue(BenchJobs.make(number))
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        store.close()
    }
}

/// A worker process whose provider answers at once. Ends when it is killed by SIGTERM, or drained.
struct InstantWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "worker")
    @OptionGroup var store: StoreOptionsGroup
    @Option var concurrency = 64
    @Flag(help: "Print when each call starts.") var starts = false
    @Flag(help: "Keep answers in the cache.") var cache = false

    func run() async throws {
        let store = try store.open()
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        var configuration = WorkerConfiguration(concurrency: concurrency)
        configuration.cacheTimeToLive = cache ? 1_800_000 : nil
        let worker = Worker(store: store, providers: [InstantProvider(printsStarts: starts)], configuration: configuration, logger: logger)
        let upkeep = Maintainer(store: store, logger: logger)
        Figures.line("ready")
        try await withThrowingTaskGroup { group in
            group.addTask { try await upkeep.run() }
            try await worker.run()
            group.cancelAll()
        }
        store.close()
    }
}
