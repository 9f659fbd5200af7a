import AgentQueueModel
import AgentQueueSettings
import ArgumentParser

/// The arguments of the process.
enum CommandArguments {
    /// The arguments after the program's name.
    ///
    /// - Throws: If bytes are not UTF-8. Swift would replace them silently, but a prompt must be passed on unchanged.
    static func validated() throws -> [String] {
        do {
            return try ProcessText.arguments()
        } catch {
            throw CommandFailure(.badInput, error.message)
        }
    }

    /// Suggests a command for an unknown one; the parser would only call it unexpected.
    static func refuseUnknownCommand(_ arguments: [String], root: any ParsableCommand.Type) throws {
        var command = root
        var path = root.configuration.commandName ?? ""
        for argument in arguments {
            let subcommands = command.configuration.subcommands
            guard !subcommands.isEmpty, !argument.hasPrefix("-"), argument != "help" else { return }
            guard let next = subcommands.first(where: { name(of: $0) == argument }) else {
                // Otherwise it is the first argument of the default command.
                guard command.configuration.defaultSubcommand == nil else { return }
                let hint = Suggestion.hint(for: argument, in: subcommands.map(name(of:)))
                throw CommandFailure(.usage, "unknown command \(InvalidText.quoted(argument))\(hint); see '\(path) --help'")
            }
            command = next
            path += " \(argument)"
        }
    }

    private static func name(of command: any ParsableCommand.Type) -> String {
        command.configuration.commandName ?? ""
    }
}

/// Rewrites messages of ArgumentParser in this program's style.
enum UsageText {
    /// One sentence that starts in lower case and has no full stop.
    static func sentence(_ message: String) -> String {
        var text = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        if text.hasPrefix("Error: ") { text.removeFirst("Error: ".count) }
        if let hint = text.firstRange(of: ". Did you mean "), text.hasSuffix("?") {
            text = "\(text[..<hint.lowerBound]) (did you mean \(text[hint.upperBound...]))"
        }
        if text.hasSuffix(".") { text.removeLast() }
        if let complaint = complaint(in: text) { return complaint }
        guard let first = text.first else { return "invalid command line; see --help" }
        return first.lowercased() + text.dropFirst()
    }

    /// Shortens `The value 'x' is invalid for '--state <state>': why` to `--state: why`.
    private static func complaint(in text: String) -> String? {
        guard text.hasPrefix("The value '"), let middle = text.firstRange(of: "' is invalid for '--"),
            let end = text[middle.upperBound...].firstRange(of: "': ")
        else { return nil }
        let option = text[middle.upperBound..<end.lowerBound].prefix { $0 != " " }
        return "--\(option): \(text[end.upperBound...])"
    }
}
