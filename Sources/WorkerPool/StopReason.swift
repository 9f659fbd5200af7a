/// Why a call is stopped before its end.
enum StopReason: Sendable {
    /// A person cancelled the job.
    case cancelled
    /// The job is another's by now.
    case lostLease
    /// It took too long.
    case deadline
    /// The worker stops.
    case shutdown
}
