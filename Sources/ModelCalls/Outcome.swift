/// What a call came to. A refusal, a rate limit or a timeout is a value; only broken machinery throws.
public enum Outcome: Sendable, Equatable {
    /// Answered.
    case reply(ModelReply)
    /// Not answered.
    case failure(ModelFailure)
}
