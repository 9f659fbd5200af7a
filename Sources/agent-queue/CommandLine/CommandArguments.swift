import AgentQueueModel
import AgentQueueSettings
import ArgumentParser

/// What stands on the command line.
enum CommandArguments {
    /// The arguments after the program's name.
    ///
    /// - Throws: For bytes that are not UTF-8, which Swift would silently replace: a prompt goes in as it was given, or not at all.
    static func validated() throws -> [String] {
        var arguments: [String] = []
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let bytes = CommandLine.unsafeArgv[index] else { break }
            guard let text = String(validatingCString: bytes) else {
                throw CommandFailure(.badInput, "argument \(index) is not valid UTF-8")
            }
            arguments.append(text)
        }
        return arguments
    }

    /// Says which command was meant where the first argument is none: the parser would only call it unexpected.
    static func refuseUnknownCommand(_ arguments: [String], root: any ParsableCommand.Type) throws {
        var command = root
        var path = root.configuration.commandName ?? ""
        for argument in arguments {
            let subcommands = command.configuration.subcommands
            guard !subcommands.isEmpty, !argument.hasPrefix("-"), argument != "help" else { return }
            guard let next = subcommands.first(where: { name(of: $0) == argument }) else {
                // What is no command is the default one's first argument.
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

/// The parser's messages, in this program's form.
enum UsageText {
    /// One sentence that begins small and ends without a full stop.
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

    /// `The value 'x' is invalid for '--state <state>': why` says twice what is enough once: `--state: why`.
    private static func complaint(in text: String) -> String? {
        guard text.hasPrefix("The value '"), let middle = text.firstRange(of: "' is invalid for '--"),
            let end = text[middle.upperBound...].firstRange(of: "': ")
        else { return nil }
        let option = text[middle.upperBound..<end.lowerBound].prefix { $0 != " " }
        return "--\(option): \(text[end.upperBound...])"
    }
}
