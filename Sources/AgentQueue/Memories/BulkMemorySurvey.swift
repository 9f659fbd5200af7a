/// What the first pass over a file of memories found: proof that it was checked whole, which the second pass asks for.
public struct BulkMemorySurvey: Sendable, Equatable {
    /// Memories to store.
    public let memories: Int
    /// Of these, how many bring no vector, so that a model must make it.
    public let unembedded: Int
    /// Those that are passed over because their time has passed.
    public let expired: Int
    /// Wall clock, ms, by which it was decided what has expired.
    let checkedAt: Int64
}
