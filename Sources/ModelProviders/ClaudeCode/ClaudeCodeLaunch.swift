import ModelCalls

/// What a process is started with.
struct ClaudeCodeLaunch: Sendable {
    /// The program's absolute path.
    let command: String
    /// Its arguments, and nothing secret among them.
    let arguments: [String]
    /// All of its environment.
    let environment: [String: String]
    /// Where it runs.
    let workingDirectory: String
    /// The file with its system text, which goes once it has been read; nil where it has none.
    let systemFile: String?
    /// Whether it is to answer several jobs.
    let isWarm: Bool
}
