import AgentQueueTestSupport

extension Sandbox {
    /// Runs `agent-queue` with a pseudo terminal as its standard output and error; returns all that it wrote there.
    ///
    /// - Parameter typed: what a person types there; nil for no one at the keyboard.
    func terminal(
        _ arguments: String..., width: UInt16, typed: String? = nil, environment: [String: String] = [:]
    ) async throws -> String {
        try await terminal(arguments: arguments, width: width, typed: typed, environment: environment)
    }

    func terminal(
        arguments: [String], width: UInt16, typed: String? = nil, environment: [String: String] = [:]
    ) async throws -> String {
        let terminal = try PseudoTerminal(width: width)
        if let typed { terminal.type(typed) }
        let process = try ChildProcess(
            "/bin/sh",
            [
                "-c", "cd \"$0\" && tty=$1 && input=$2 && shift 2 && exec \"$@\" <\"$input\" >\"$tty\" 2>&1", folder,
                terminal.path, typed == nil ? "/dev/null" : terminal.path, Self.program,
            ] + arguments, environment: self.environment.merging(environment) { $1 }.merging(["TERM": "xterm"]) { $1 })
        try await process.end(within: .seconds(120))
        return try await terminal.end()
    }
}
