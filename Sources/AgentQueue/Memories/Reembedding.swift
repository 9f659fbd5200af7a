/// How far the embedding of a namespace by another model is.
public struct Reembedding: Sendable, Equatable {
    /// The namespace.
    public var namespace: String
    /// What embeds it, `provider/model`.
    public var model: String
    /// How many values a vector has.
    public var dimension: Int
    /// How many memories the namespace holds.
    public var memories: Int
    /// How many have their new vector.
    public var done: Int
    /// How many the call that tells this has given to jobs.
    public var enqueued: Int
    /// The batch of these jobs.
    public var batch: String
    /// Whether the new vectors are searched.
    public var isFinished: Bool
}
