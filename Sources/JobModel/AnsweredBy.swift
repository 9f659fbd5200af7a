/// Where a job's answer came from.
public enum AnsweredBy: String, Sendable, CaseIterable, Codable {
    /// A call made for this job, to its own target.
    case provider
    /// The response cache: nothing was paid.
    case cache
    /// A call made for an identical job.
    case coalesced
    /// A call to another target, named in the result.
    case fallback
}
