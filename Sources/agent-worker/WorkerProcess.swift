import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueWorker
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// One worker process: the store, the providers, the worker and the upkeep, put together.
struct WorkerProcess {
    let settings: Settings
    let queues: Set<String>?
    let drains: Bool
    let logFormat: LogFormat
    let logLevel: Logger.Level

    func run() async throws {
        let output = LogOutput(logFormat)
        LoggingSystem.bootstrap { WorkerLog(label: $0, output: output) }
        var logger = Logger(label: "agent-worker")
        logger.logLevel = logLevel
        let providers = ProviderSet(settings, environment: ProcessInfo.processInfo.environment)
        let store = try QueueStore(path: settings.database, options: settings.storeOptions)
        // Only of those that jobs wait for: most configurations name providers that their owner does not use.
        let awaited = Set(
            try store.lanes().filter { $0.count(.available) + $0.count(.retryable) > 0 }.map { $0.target.prefix { $0 != "/" } })
        for (name, reason) in providers.unavailable.sorted(by: { $0.key < $1.key }) where awaited.contains(name[...]) {
            logger.warning("jobs are waiting for provider \(name), which is not available here", metadata: ["reason": "\(reason)"])
        }
        let planner = PipelinePlanner(store: store, settings: settings)
        let worker = Worker(
            store: store, providers: providers.providers,
            configuration: settings.workerConfiguration(queues: queues, drains: drains, available: providers.names),
            cache: settings.responseCache(of: store), children: providers.children, planner: planner, logger: logger
        ) { output.job($0) }
        let notifications = NotificationSet(settings, environment: ProcessInfo.processInfo.environment, now: store.clock.wall)
        let courier = NotificationDispatcher(store: store, sender: notifications, logger: logger) { worker.hasDrained }
        let line = LiveLine(worker, output: output)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    // Stopped from the last to the first, each when the one behind it has ended.
                    .init(service: SecondSignal(worker)),
                    .init(service: SupervisedChild(worker)),
                    .init(service: line),
                    .init(service: courier),
                    .init(
                        service: Maintainer(store: store, planner: planner, logger: logger, firings: ScheduleMaker(settings)) {
                            courier.call()
                        }),
                    .init(
                        service: worker, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup),
                ], gracefulShutdownSignals: [.sigterm, .sigint], logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() }))
        do {
            try await group.run()
        } catch {
            try await notifications.shutdown()
            try await providers.shutdown()
            store.close()
            throw error
        }
        try await notifications.shutdown()
        try await providers.shutdown()
        store.close()
    }
}

/// The first SIGTERM or SIGINT stops in good order; the second at once.
struct SecondSignal: Service {
    private let worker: Worker

    init(_ worker: Worker) { self.worker = worker }

    func run() async throws {
        var count = 0
        for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint).cancelOnGracefulShutdown() {
            count += 1
            if count >= 2 { worker.stopAtOnce() }
        }
    }
}
