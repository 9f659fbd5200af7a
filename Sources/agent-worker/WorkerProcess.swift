import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import AgentQueueWorker
import Foundation
import Logging
import ServiceLifecycle

/// One worker process: the worker service, with what a process adds to it: signals, a supervisor, a line on the terminal.
struct WorkerProcess {
    let settings: Settings
    let queues: Set<String>?
    let drains: Bool
    let maxWait: Duration?
    let logFormat: LogFormat
    let logLevel: Logger.Level

    func run() async throws {
        let output = LogOutput(logFormat)
        LoggingSystem.bootstrap { WorkerLog(label: $0, output: output) }
        var logger = Logger(label: "agent-worker")
        logger.logLevel = logLevel
        let queue = try await open(logger)
        let worker = WorkerService(queue, queues: queues, stopsWhenEmpty: drains, maxWait: maxWait, logger: logger) { output.job($0) }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    // Stopped in reverse order, each after the next has ended.
                    .init(service: SecondSignal(worker)),
                    .init(service: SupervisedChild(worker)),
                    .init(service: LiveLine(worker, output: output)),
                    .init(
                        service: worker, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup),
                ], gracefulShutdownSignals: StopSignals.trapped, logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() }))
        defer { queue.store.close() }
        try await group.run()
        if let left = worker.unfinished { throw JobsLeft(unfinished: left, after: maxWait ?? .zero) }
        let left = worker.unserved
        if !left.isEmpty { throw JobsLeft(unserved: left) }
    }

    /// Opens the queue. On a full disk, waits until there is space.
    private func open(_ logger: Logger) async throws -> JobQueue {
        var isSaid = false
        while true {
            do {
                return try JobQueue(settings, environment: ProcessInfo.processInfo.environment)
            } catch let error as StoreError where error.kind == .full {
                if !isSaid { logger.warning("the disk is full; waiting for space", metadata: ["error": "\(error)"]) }
                isSaid = true
                try await Task.sleep(for: .seconds(1))
            }
        }
    }
}

/// A draining worker has ended and leaves jobs.
struct JobsLeft: Error, CustomStringConvertible {
    let description: String

    /// Jobs that it cannot serve.
    init(unserved left: [UnservedJobs]) {
        let total = left.reduce(0) { $0 + $1.jobs }
        let parts = left.map { "\(Figures.count($0.jobs)) for provider '\($0.provider)' (\($0.reason))" }
        description =
            "\(Figures.count(total, "job")) \(total == 1 ? "is" : "are") left that no provider here can serve: "
            + parts.joined(separator: "; ")
    }

    /// Jobs that it could serve, none of which has ended for a long time.
    init(unfinished left: [UnfinishedJobs], after wait: Duration) {
        let total = left.reduce(0) { $0 + $1.jobs }
        let parts = left.map { "\(Figures.count($0.jobs)) for \($0.target)" }
        description =
            "no job has finished for \(DurationText.format(wait)) (--max-wait); \(Figures.count(total, "job")) "
            + "\(total == 1 ? "is" : "are") left: \(parts.joined(separator: "; "))"
    }
}
