/// What pruning removed, or would remove.
public struct PruneReport: Sendable, Equatable {
    /// Jobs that ended longer ago than the policy keeps them.
    public var jobs = 0
    /// Runs that ended longer ago than the policy keeps them; their jobs are not among ``jobs``.
    public var runs = 0
    /// Cached answers that had expired, or were over the cache's bound.
    public var cacheEntries = 0
    /// Memories that had expired, or were over a cap.
    public var memories = 0
    /// What was given back to the file system.
    public var bytesFreed: Int64 = 0

    /// Nothing removed yet.
    public init() {}
}
