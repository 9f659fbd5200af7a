import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser
import Foundation
import Logging

/// The `agent-worker` command: runs a worker, or a supervisor of several.
@main
struct AgentWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent-worker",
        abstract: "Run the jobs in the queue.",
        discussion: """
            Claims jobs, calls models and stores the results. Any number of workers can share one database. On SIGTERM, SIGINT, SIGHUP
            or SIGQUIT, running jobs get the grace period to finish; the rest go back to the queue without counting the attempt. A second
            signal, a second or more after the first, stops immediately. On a terminal, a line shows what is running, done and left, for all processes together.

            Example:
              agent-worker --concurrency 5 --queues default,reports --drain
            """,
        version: Version.text)

    @Option(help: "Concurrent calls in each process, 1 to 1024 (default 5): with --processes 2, 10 at once.")
    var concurrency: String?

    @Option(help: "Worker processes, 1 to 64; a supervisor restarts those that die (default 1).")
    var processes: String?

    @Option(help: ArgumentHelp("Queues to serve, comma-separated (default all).", valueName: "name,…"))
    var queues: String?

    @Flag(help: "Exit when no jobs are left to run: with 69 if jobs are left that no provider here can serve.")
    var drain = false

    @Option(
        help: ArgumentHelp(
            "With --drain: exit with 69 when no job has finished for this long, such as 10m. Default: wait for as long as it takes.",
            valueName: "duration"))
    var maxWait: String?

    @Option(help: "Maximum number of jobs per claim, 1 to 10000 (default 100).")
    var batchSize: String?

    @Option(help: "How long to wait for more jobs that can share a call, such as 10ms.")
    var linger: String?

    @Option(help: "Grace period for running jobs on shutdown, such as 30s.")
    var shutdownGrace: String?

    @Option(help: "Log format: text or json.")
    var logFormat: LogFormat = .text

    @Option(help: "Log level: debug (every call, without its content), info, warning or error.")
    var logLevel: LogLevel = .info

    @Option(help: ArgumentHelp("Database file.", valueName: "file"))
    var database: String?

    @Option(help: ArgumentHelp("Configuration file.", valueName: "file"))
    var config: String?

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        OrphanReaper.startIfFirst()
        Unstoppable.deferStops()
        do {
            let maxWait = try parsedMaxWait()
            let settings = try loadSettings()
            if settings.effectiveWorker.processes > 1, !SupervisedChild.isOne {
                let worker = settings.effectiveWorker
                try await Supervisor(
                    processes: worker.processes, concurrency: worker.concurrency, drains: drain, output: LogOutput(logFormat)
                ).run()
            } else {
                try await WorkerProcess(
                    settings: settings, queues: try queueNames(), drains: drain, maxWait: maxWait, logFormat: logFormat,
                    logLevel: logLevel.level
                ).run()
            }
        } catch let error as ExitCode {
            throw error
        } catch let error as CleanExit {
            throw error
        } catch {
            if SupervisedChild.speaks || !(error is JobsLeft) {
                FileHandle.standardError.write(Data("agent-worker: \(Self.sentence(error))\n".utf8))
            }
            throw ExitCode(Self.status(error))
        }
    }

    private func loadSettings() throws -> Settings {
        _ = try ProcessText.arguments()
        let options: [(key: String, value: String?, option: String)] = [
            ("worker.concurrency", concurrency, "--concurrency"), ("worker.processes", processes, "--processes"),
            ("worker.batch_size", batchSize, "--batch-size"), ("worker.linger", linger, "--linger"),
            ("worker.shutdown_grace", shutdownGrace, "--shutdown-grace"), ("database", database, "--database"),
        ]
        return try Settings.load(
            configPath: config, environment: try ProcessText.environment(), currentDirectory: try ProcessText.currentFolder(),
            overrides: options.compactMap { option in
                option.value.map { SettingsOverride(key: option.key, value: $0, option: option.option) }
            })
    }

    private func parsedMaxWait() throws -> Duration? {
        guard let maxWait else { return nil }
        guard drain else { throw ValidationError("--max-wait requires --drain") }
        do { return try DurationText.parse(maxWait, in: .seconds(1)...Duration.days(365)) } catch {
            throw ValidationError("--max-wait: \(error.message)")
        }
    }

    private func queueNames() throws -> Set<String>? {
        guard let queues else { return nil }
        let names = queues.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        guard !names.isEmpty else { throw ValidationError("--queues is empty") }
        return Set(names)
    }

    private static func sentence(_ error: any Error) -> String {
        if let error = error as? ValidationError { return error.message }
        if let error = error as? InvalidText { return error.message }
        return "\(error)"
    }

    /// The exit codes of sysexits.h, as `agent-queue` uses them.
    private static func status(_ error: any Error) -> Int32 {
        if error is ValidationError { return 64 }
        if error is JobsLeft { return SupervisedChild.isOne ? SupervisedChild.leftJobs : WorkerExit.unavailable }
        if error is InvalidText { return 65 }
        if let error = error as? SettingsError, case .commandLine = error.origin { return 64 }
        return switch Problem(error) {
        case .usage: 64
        case .badInput: 65
        case .unavailable: 69
        case .internalError, nil: 70
        case .inputOutput: 74
        case .noPermission: 77
        case .badConfiguration: 78
        }
    }
}

/// Exit codes that more than one file uses.
enum WorkerExit {
    /// A provider or the database is unavailable.
    static let unavailable: Int32 = 69
    /// Those of a process that would end the same way if it were started again: usage, input, database or provider, permission,
    /// configuration.
    static let permanent: Set<Int32> = [64, 65, unavailable, 77, 78]
}
