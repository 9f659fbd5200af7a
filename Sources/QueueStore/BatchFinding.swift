import ModelCalls

/// What a look at the provider's list of batches came to, for one that was sent, perhaps.
public enum BatchFinding: Sendable, Equatable {
    /// This may be it.
    case found(RemoteBatch)
    /// It is not there, and no request can still bring it there: it may be sent again.
    case absent
    /// It is not there, or another batch has what may be it: to be looked for again at that time (wall clock, ms).
    case open(until: Int64)
}
