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
    let logFormat: LogFormat
    let logLevel: Logger.Level

    func run() async throws {
        let output = LogOutput(logFormat)
        LoggingSystem.bootstrap { WorkerLog(label: $0, output: output) }
        var logger = Logger(label: "agent-worker")
        logger.logLevel = logLevel
        let queue = try JobQueue(settings, environment: ProcessInfo.processInfo.environment)
        let worker = WorkerService(queue, queues: queues, stopsWhenEmpty: drains, logger: logger) { output.job($0) }
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
        let left = worker.unserved
        if !left.isEmpty { throw UnservedJobsLeft(left) }
    }
}

/// A drained worker leaves jobs that it cannot serve.
struct UnservedJobsLeft: Error, CustomStringConvertible {
    let description: String

    init(_ left: [UnservedJobs]) {
        let total = left.reduce(0) { $0 + $1.jobs }
        let parts = left.map { "\(Figures.count($0.jobs)) for provider '\($0.provider)' (\($0.reason))" }
        description =
            "\(Figures.count(total, "job")) \(total == 1 ? "is" : "are") left that no provider here can serve: "
            + parts.joined(separator: "; ")
    }
}
