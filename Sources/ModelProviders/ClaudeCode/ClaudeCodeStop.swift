/// Why we stopped a job ourselves.
enum ClaudeCodeStop: Sendable, Hashable {
    /// Its time was up.
    case timedOut
    /// Its task was cancelled.
    case cancelled
    /// The provider shuts down.
    case shutDown
    /// The program was about to ask again behind our back.
    case askedAgain
}
