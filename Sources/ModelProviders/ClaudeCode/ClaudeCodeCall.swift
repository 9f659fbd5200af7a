/// Who waits for a job.
struct ClaudeCodeCall: Sendable {
    /// Told the answer piece by piece.
    let onText: (@Sendable (String) -> Void)?
    /// Resumed once, with what became of it.
    let continuation: CheckedContinuation<ClaudeCodeAnswer, Never>
}
