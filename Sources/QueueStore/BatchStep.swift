/// What is to be done for a provider's batch next.
public enum BatchStep: Sendable, Equatable {
    /// Nothing, before that time (wall clock, ms).
    case wait(until: Int64)
    /// Its jobs whose deadline is near are to be called for alone.
    case releaseUrgent
    /// It is to be sent.
    case submit
    /// The provider is to be asked whether it has it.
    case reconcile
    /// The provider is to be asked how it stands.
    case poll
    /// The provider is to be told that it is given up.
    case cancel
    /// Its answers are to be taken in.
    case harvest
    /// Those without an answer are to go back.
    case returnRest
}
