import AgentQueue
import ArgumentParser
import JobModel
import QueueStore
import Settings

/// Turns whatever ended a command into one sentence on standard error and an exit code.
enum FailureReport {
    /// Tells the person; returns the code to end with.
    static func report(_ error: any Error) -> Int32 {
        switch error {
        case is OutputClosed: return ExitStatus.success.rawValue
        case let error as CommandFailure: return say(error.message, error.status.rawValue)
        case let error as StoreError: return say(error.message, error.exitCode)
        case let error as SettingsError: return say(error.description, ExitStatus.badConfiguration.rawValue)
        case let error as InputError: return say(error.description, error.exitCode)
        case let error as InvalidText: return say(error.message, ExitStatus.usage.rawValue)
        case let error as JSONError: return say(error.description, ExitStatus.badInput.rawValue)
        case let status as ExitCode: return status.rawValue
        default: return reportParsing(error)
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
