import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import ArgumentParser

/// `--csv` and `--template`: jobs from the rows of a table.
struct RowFlags: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Add a job for each row of a CSV file, or of standard input with `-`. The first line names the columns.", valueName: "file"),
        completion: .file(extensions: ["csv"]))
    var csv: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "With --csv, or --jsonl of plain objects: the prompt of each row, with {{column}} for its values; @FILE reads it from a file.",
            valueName: "text|@file"))
    var template: String?

    /// - Throws: `CommandFailure` or `InputError` if the template cannot be read.
    func readTemplate() throws -> RowTemplate? {
        guard let template else { return nil }
        guard template.hasPrefix("@") else { return try RowTemplate(template) }
        return try RowTemplate(try InputText.read(String(template.dropFirst()), subject: "the template"))
    }
}

/// `--provider`: where lines in another system's form go.
struct BatchLineFlags: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Provider for lines of OpenAI and Anthropic batch files; each line's model stays. Default: openai and anthropic.",
            valueName: "name"))
    var provider: String?
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
