import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import ArgumentParser

/// What commands that read jobs from files have in common.
///
/// Their options are declared in the commands and not in groups, since ArgumentParser looks up several conformances of each group's type
/// at run time: with three groups, `enqueue` took a tenth longer from start to exit.
enum BulkOptions {
    /// The help of `--provider`: where lines in another system's form go.
    static let providerHelp = ArgumentHelp(
        "Provider for lines of OpenAI and Anthropic batch files; each line's model stays. Default: openai and anthropic.",
        valueName: "name")

    /// The template that `--template` gives: a text, or a file after `@`.
    ///
    /// - Throws: `CommandFailure` or `InputError` if it cannot be read.
    static func readTemplate(_ value: String) throws -> RowTemplate {
        guard value.hasPrefix("@") else { return try RowTemplate(value) }
        return try RowTemplate(try InputText.read(String(value.dropFirst()), subject: "the template"))
    }
}

extension TargetCounts {
    /// What keeps jobs from being run: the keys of their providers that are missing.
    func warnings(_ session: Session) -> [String] {
        providers.compactMap { name in
            guard let provider = session.settings.providers[name],
                case .missing(let reason) = provider.resolveAPIKey(environment: session.environment)
            else { return nil }
            return "provider \(name) has no key, so its jobs wait: \(reason)"
        }
    }
}
