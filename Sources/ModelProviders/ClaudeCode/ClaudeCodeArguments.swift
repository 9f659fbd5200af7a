/// The program's arguments. Prompts are none of them: anybody on the machine can read a process's arguments.
enum ClaudeCodeArguments {
    /// Makes them.
    /// - Parameters:
    ///   - key: what the process is for.
    ///   - systemFile: the file with the system text; nil where that is empty.
    ///   - isWarm: whether it is to answer several jobs. Then it must know its command `/clear`; else commands are off.
    ///   - isBare: whether to leave out what reads files and logins; only with an API key.
    static func make(_ key: ClaudeCodeKey, systemFile: String?, isWarm: Bool, isBare: Bool) -> [String] {
        var arguments = [
            "--print", "--input-format=stream-json", "--output-format=stream-json", "--verbose", "--include-partial-messages",
            "--model=\(key.model)", "--tools=", "--max-turns=1", "--safe-mode", "--setting-sources=", "--strict-mcp-config",
            "--no-session-persistence",
        ]
        // Given, even where empty: its own system prompt is 30 KB long.
        arguments.append(systemFile.map { "--system-prompt-file=\($0)" } ?? "--system-prompt=")
        if let schema = key.schema { arguments.append("--json-schema=\(schema)") }
        if let effort = key.effort { arguments.append("--effort=\(effort)") }
        if let thinking = key.thinking { arguments.append("--thinking=\(thinking)") }
        if let tokens = key.maxThinkingTokens { arguments.append("--max-thinking-tokens=\(tokens)") }
        if !isWarm { arguments.append("--disable-slash-commands") }
        if isBare { arguments.append("--bare") }
        return arguments
    }
}
