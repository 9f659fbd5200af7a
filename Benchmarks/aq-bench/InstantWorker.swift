import ArgumentParser
import JobModel
import Logging
import QueueStore
import Upkeep
import WorkerPool

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
        let upkeep = Upkeeper(store: store, logger: logger)
        Figures.line("ready")
        try await withThrowingTaskGroup { group in
            group.addTask { try await upkeep.run() }
            try await worker.run()
            group.cancelAll()
        }
        store.close()
    }
}
