/// Where a job stands in its life.
///
/// ```
/// pending ─┐                     ┌─> completed
/// scheduled┼─> available ─> running ─> retryable ─> available …
///          └────────────────────┴─> cancelled, discarded
/// ```
public enum JobState: String, Sendable, CaseIterable, Codable {
    /// Waits for other jobs to complete.
    case pending
    /// Waits for a time.
    case scheduled
    /// Ready to be claimed.
    case available
    /// Claimed by a worker, under a lease.
    case running
    /// Failed, and waits for its next attempt.
    case retryable
    /// Answered. Final.
    case completed
    /// Ended by a person, or because a job it depends on ended without completing. Final.
    case cancelled
    /// Ended without an answer: attempts used up, a permanent failure, or expired. Final.
    case discarded

    /// Final states never change again unless a person retries or deletes the job; `finalized_at` is set in exactly these.
    public var isFinal: Bool {
        switch self {
        case .completed, .cancelled, .discarded: true
        case .pending, .scheduled, .available, .running, .retryable: false
        }
    }
}
