/// How an attempt ended, reduced to what decides the job's next state.
public enum AttemptEnd: Sendable, Equatable {
    /// With an answer.
    case answered
    /// With a failure; `retryAfter` (milliseconds) is the provider's own word on when to try again.
    case failed(FailureClass, retryAfter: Int64? = nil)
    /// The worker hands the job back: it is stopping, or never began.
    case handedBack
}
