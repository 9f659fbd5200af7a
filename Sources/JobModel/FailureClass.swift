/// What kind of failure ended an attempt: decided once, at the provider, and all that later decisions look at.
public enum FailureClass: String, Sendable, CaseIterable, Codable {
    /// Will fail the same way again: a bad request, an unknown model.
    case permanent
    /// May pass: a broken connection, a server error.
    case retryable
    /// The provider asked to wait. The attempt is given back.
    case rateLimited = "rate_limited"
    /// The provider has too much to do. The attempt is given back.
    case overloaded
    /// No key, or a key that is refused.
    case authentication
    /// Nothing left to spend.
    case quotaExhausted = "quota_exhausted"
    /// No answer before the deadline.
    case timedOut = "timed_out"
    /// Ended by a person's cancel.
    case cancelled
    /// An answer that cannot be read, or does not hold what was asked.
    case invalidReply = "invalid_reply"
    /// The model declined.
    case refused
    /// The worker died, or lost its lease.
    case crashed
    /// Not begun before `expires_at`.
    case expired
    /// A job that this one depends on ended without completing.
    case dependency
    /// The worker stopped before the call was through. The attempt is given back.
    case shutdown
}

extension FailureClass {
    /// Whether another target may be asked instead: the fault is the provider's, not the request's.
    public var allowsFallback: Bool {
        switch self {
        case .retryable, .rateLimited, .overloaded, .authentication, .quotaExhausted, .timedOut, .invalidReply: true
        case .permanent, .refused, .cancelled, .crashed, .expired, .dependency, .shutdown: false
        }
    }

    /// Whether it says that the provider works (true), or does not (false); nil where it says nothing about that.
    public var showsHealth: Bool? {
        switch self {
        case .permanent, .refused, .invalidReply: true
        case .retryable, .overloaded, .timedOut: false
        case .rateLimited, .authentication, .quotaExhausted, .cancelled, .crashed, .expired, .dependency, .shutdown: nil
        }
    }
}
