import ModelCalls

/// What a process makes of a job.
enum ClaudeCodeAnswer: Sendable, Equatable {
    /// It came to this.
    case outcome(Outcome)
    /// The process ended, or had to be ended, before it took the job up: another can be given it.
    case notBegun
}
