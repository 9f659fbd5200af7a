/// How a process ended.
enum ClaudeCodeEnding: Sendable, Hashable {
    /// By itself, with a code, and what it had written on standard error.
    case exit(Int32, standardError: String)
    /// By a signal.
    case signal(Int32)
    /// It printed a line that was too long to keep.
    case unreadable
    /// It never started; the clause says why.
    case notStarted(String)
}
