extension ClaudeCodeOutcome {
    /// Whether the program refused its arguments, by what it wrote on standard error.
    ///
    /// Source: what 2.1.330 was seen to write, and the words of its parser of arguments, commander.
    static func isUsageError(_ standardError: String) -> Bool {
        standardError.split(whereSeparator: \.isNewline).contains { line in
            let words = line.lowercased()
            let clause = words.hasPrefix("error: ") ? String(words.dropFirst(7)) : words
            return beginnings.contains { clause.hasPrefix($0) } || parts.contains { clause.contains($0) }
        }
    }

    private static let beginnings = ["--", "option '", "invalid ", "missing required", "required option", "too many arguments"]
    private static let parts = ["unknown option", "unknown command", "requires --verbose"]
}
