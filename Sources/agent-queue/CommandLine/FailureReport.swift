import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser
import Glibc

/// Reports the error that ended a command: one sentence on standard error and an exit code.
enum FailureReport {
    /// - Returns: The exit code.
    static func report(_ error: any Error) -> Int32 {
        switch error {
        case is OutputClosed: return ExitStatus.success.rawValue
        case let status as ExitCode: return status.rawValue
        default:
            guard let verdict = verdict(on: error) else { return reportParsing(error) }
            return say(verdict.message, verdict.code)
        }
    }

    /// Message and exit code; nil for errors of the parser and for errors that are not reported.
    static func verdict(on error: any Error) -> (message: String, code: Int32)? {
        if let error = error as? CommandFailure { return (error.message, error.status.rawValue) }
        guard let problem = Problem(error) else { return nil }
        let sentence = (error as? ModelFailure)?.message ?? "\(error)"
        return (sentence + (advice(on: error).map { "; \($0)" } ?? ""), ExitStatus(problem).rawValue)
    }

    /// Which command helps against an error of the library, which knows none.
    private static func advice(on error: any Error) -> String? {
        switch (error as? StoreError)?.kind {
        case .corrupt: "run 'agent-queue database check', or restore a backup with 'agent-queue database restore'"
        case .full: "'agent-queue prune' removes expired data"
        case .notOurs: "choose another file with --database"
        case .olderSchema: "run 'agent-queue database migrate'"
        default: nil
        }
    }

    private static func say(_ sentence: String, _ code: Int32) -> Int32 {
        Diagnostics.say(sentence)
        return code
    }

    /// The parser throws help, usage errors, and errors that it does not know.
    private static func reportParsing(_ error: any Error) -> Int32 {
        let code = AgentQueueCommand.exitCode(for: error)
        let message = AgentQueueCommand.message(for: error)
        switch code {
        case .success:
            return printHelp(message)
        case .validationFailure:
            return say(UsageText.sentence(message), ExitStatus.usage.rawValue)
        default:
            return say("internal error: \(error)", ExitStatus.internalError.rawValue)
        }
    }

    private static func printHelp(_ text: String) -> Int32 {
        do {
            var output = Output()
            try output.line(text)
            try output.flush()
            return ExitStatus.success.rawValue
        } catch {
            return report(error)
        }
    }
}

/// An error of a command: a sentence for people and an exit code for scripts.
struct CommandFailure: Error {
    let status: ExitStatus
    /// Without the program's name and without a full stop.
    let message: String

    init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }
}

/// The exit codes of `agent-queue`: those of sysexits.h, and two of its own.
enum ExitStatus: Int32 {
    case success = 0
    /// A job or run failed or was cancelled.
    case jobFailed = 1
    /// A wait timed out.
    case timedOut = 2
    case usage = 64
    case badInput = 65
    case unavailable = 69
    case internalError = 70
    case inputOutput = 74
    case noPermission = 77
    case badConfiguration = 78

    init(_ problem: Problem) {
        switch problem {
        case .usage: self = .usage
        case .badInput: self = .badInput
        case .unavailable: self = .unavailable
        case .internalError: self = .internalError
        case .inputOutput: self = .inputOutput
        case .noPermission: self = .noPermission
        case .badConfiguration: self = .badConfiguration
        }
    }
}

/// Turns an errno into a failure.
enum SystemFailure {
    /// Such as `cannot read 'prompt.txt': no such file or directory`.
    static func make(_ doing: String, errno code: Int32) -> CommandFailure {
        let status: ExitStatus =
            switch code {
            // A wrong file name is a usage error.
            case ENOENT, ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP: .usage
            case EACCES, EPERM, EROFS: .noPermission
            default: .inputOutput
            }
        return CommandFailure(status, "cannot \(doing): \(reason(code))")
    }

    /// `no such file or directory`.
    static func reason(_ code: Int32) -> String {
        String(cString: strerror(code)).lowercased()
    }
}

/// Errors about jobs without an answer.
enum JobFailure {
    static func notFound(_ id: Int64) -> CommandFailure {
        CommandFailure(.badInput, "job \(id) not found; run 'agent-queue list' to see the jobs")
    }

    /// - Throws: If the job did not complete, with exit code 1.
    static func check(_ job: Job) throws {
        guard job.state != .completed else { return }
        let end = job.state == .cancelled ? "was cancelled" : "failed"
        throw CommandFailure(.jobFailed, "job \(job.id) \(end)\(job.errors.last.map { ": \($0.message)" } ?? "")")
    }
}

/// Errors about runs without an output.
enum RunFailure {
    static func notFound(_ id: Int64) -> CommandFailure {
        CommandFailure(.badInput, "run \(id) not found; run 'agent-queue runs' to see the runs")
    }

    /// - Throws: If the run did not complete, with exit code 1.
    static func check(_ run: RunSummary) throws {
        guard run.state != .completed else { return }
        guard run.state != .cancelled else { throw CommandFailure(.jobFailed, "run \(run.id) was cancelled") }
        throw CommandFailure(.jobFailed, "run \(run.id) \(run.state.rawValue)\(run.reason.map { ": \($0)" } ?? "")")
    }
}
