import AgentQueue
import ArgumentParser
import JobModel
import ModelCalls
import Pipelines
import QueueStore
import Settings
import VectorMemory

/// Turns whatever ended a command into one sentence on standard error and an exit code.
enum FailureReport {
    /// Tells the person; returns the code to end with.
    static func report(_ error: any Error) -> Int32 {
        switch error {
        case is OutputClosed: return ExitStatus.success.rawValue
        case let status as ExitCode: return status.rawValue
        default:
            guard let verdict = verdict(on: error) else { return reportParsing(error) }
            return say(verdict.message, verdict.code)
        }
    }

    /// What is said of an error of ours, and the code to end with; nil for what the parser throws, and for what ends quietly.
    static func verdict(on error: any Error) -> (message: String, code: Int32)? {
        switch error {
        case let error as CommandFailure: (error.message, error.status.rawValue)
        case let error as StoreError: (error.message, error.exitCode)
        case let error as SettingsError: (error.description, ExitStatus.badConfiguration.rawValue)
        case let error as PipelineError: (error.description, ExitStatus.badConfiguration.rawValue)
        case let error as InputError: (error.description, error.exitCode)
        case let error as InvalidText: (error.message, ExitStatus.usage.rawValue)
        case let error as JSONError: (error.description, ExitStatus.badInput.rawValue)
        case let error as MemoryError: (error.description, ExitStatus.badInput.rawValue)
        case let error as VectorError: (error.description, ExitStatus.badInput.rawValue)
        case let error as ModelFailure: (error.message, code(of: error).rawValue)
        default: nil
        }
    }

    /// A model that refuses what it was sent would refuse it again; anything else may pass.
    private static func code(of failure: ModelFailure) -> ExitStatus {
        switch failure.failure {
        case .permanent, .refused: .badInput
        default: .unavailable
        }
    }

    private static func say(_ sentence: String, _ code: Int32) -> Int32 {
        Diagnostics.say(sentence)
        return code
    }

    /// What the parser throws is help, a usage error, or an error that it does not know and calls a failure.
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
