/// How long what has ended is kept, in ms.
public struct PrunePolicy: Sendable, Equatable {
    /// Jobs that were answered; 0 removes them at once.
    public var completed: Int64
    /// Jobs that were cancelled; 0 removes them at once.
    public var cancelled: Int64
    /// Jobs that failed for good or expired; 0 removes them at once.
    public var discarded: Int64
    /// The most bytes of cached answers; the least recently used go first. Nil is no bound.
    public var maxCacheBytes: Int64?
    /// How many memories are kept, of those that have not expired.
    public var memories: MemoryPolicy
    /// Whether pages that are free are given back to the file system.
    public var shrinks: Bool

    /// Makes a policy.
    public init(
        completed: Int64, cancelled: Int64, discarded: Int64, maxCacheBytes: Int64? = nil, memories: MemoryPolicy = MemoryPolicy(),
        shrinks: Bool = true
    ) {
        self.completed = completed
        self.cancelled = cancelled
        self.discarded = discarded
        self.maxCacheBytes = maxCacheBytes
        self.memories = memories
        self.shrinks = shrinks
    }
}
