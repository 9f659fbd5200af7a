/// What pruning removed, or would remove.
public struct PruneReport: Sendable, Equatable {
    public var jobs = 0
    public var cacheEntries = 0
    public var memories = 0
    /// What was given back to the file system.
    public var bytesFreed: Int64 = 0

    /// Nothing removed yet.
    public init() {}
}
