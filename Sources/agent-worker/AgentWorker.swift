import AgentQueue
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser
import Foundation
import Logging

/// `agent-worker`: the composition root of a worker process, or, with several processes, of their supervisor.
@main
struct AgentWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent-worker",
        abstract: "Runs the jobs of the queue.",
        discussion: """
            Claims jobs, calls the models, and settles results; any number of workers may share one database. Stops in good order
            on SIGTERM and SIGINT: running jobs may finish within the grace, the rest go back without counting the attempt. A
            second signal stops at once.

            Example:
              agent-worker --concurrency 5 --queues default,reports --drain
            """,
        version: Version.text)

    @Option(help: "Calls in flight at once in each process, 1 to 1024 (default 5).")
    var concurrency: String?

    @Option(help: "Worker processes, 1 to 64, under one supervisor that restarts one that dies (default 1).")
    var processes: String?

    @Option(help: ArgumentHelp("The queues to serve (default all).", valueName: "name,…"))
    var queues: String?

    @Flag(help: "Exit once the queues hold nothing available, retryable, running, or waiting for such.")
    var drain = false

    @Option(help: "The most jobs of one claim, 1 to 10000 (default 100).")
    var batchSize: String?

    @Option(help: "How long a job that can share a call waits for company, such as 10ms.")
    var linger: String?

    @Option(help: "How long running jobs may go on after a stop is asked for, such as 30s.")
    var shutdownGrace: String?

    @Option(help: "How a job is logged: text or json.")
    var logFormat: LogFormat = .text

    @Option(help: "What is logged: debug (each call, without what it asks), info, warning or error.")
    var logLevel: LogLevel = .info

    @Option(help: ArgumentHelp("The database.", valueName: "file"))
    var database: String?

    @Option(help: ArgumentHelp("The configuration.", valueName: "file"))
    var config: String?

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        do {
            let settings = try loadSettings()
            if settings.effectiveWorker.processes > 1, !SupervisedChild.isOne {
                try await Supervisor(processes: settings.effectiveWorker.processes, drains: drain).run()
            } else {
                try await WorkerProcess(
                    settings: settings, queues: try queueNames(), drains: drain, logFormat: logFormat, logLevel: logLevel.level
                ).run()
            }
        } catch let error as ExitCode {
            throw error
        } catch let error as CleanExit {
            throw error
        } catch {
            FileHandle.standardError.write(Data("agent-worker: \(Self.sentence(error))\n".utf8))
            throw ExitCode(Self.status(error))
        }
    }

    private func loadSettings() throws -> Settings {
        let options: [(key: String, value: String?, option: String)] = [
            ("worker.concurrency", concurrency, "--concurrency"), ("worker.processes", processes, "--processes"),
            ("worker.batch_size", batchSize, "--batch-size"), ("worker.linger", linger, "--linger"),
            ("worker.shutdown_grace", shutdownGrace, "--shutdown-grace"), ("database", database, "--database"),
        ]
        return try Settings.load(
            configPath: config, environment: ProcessInfo.processInfo.environment,
            currentDirectory: FileManager.default.currentDirectoryPath,
            overrides: options.compactMap { option in
                option.value.map { SettingsOverride(key: option.key, value: $0, option: option.option) }
            })
    }

    private func queueNames() throws -> Set<String>? {
        guard let queues else { return nil }
        let names = queues.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        guard !names.isEmpty else { throw ValidationError("--queues names no queue") }
        return Set(names)
    }

    private static func sentence(_ error: any Error) -> String {
        if let error = error as? ValidationError { return error.message }
        return "\(error)"
    }

    private static func status(_ error: any Error) -> Int32 {
        switch error {
        case let error as StoreError: error.exitCode
        case let error as SettingsError: if case .commandLine = error.origin { 64 } else { 78 }
        case is ValidationError: 64
        default: 70
        }
    }
}
