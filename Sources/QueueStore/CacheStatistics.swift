/// The cache's counts.
public struct CacheStatistics: Sendable, Equatable {
    /// Answers kept, expired ones included until they are pruned.
    public var entries: Int
    /// The room they take, in bytes, as far as the cache's bound counts it.
    public var bytes: Int64
    /// Jobs that the cache has answered, ever.
    public var hits: Int
    /// Jobs that might have been answered by the cache but were by a call, ever.
    public var misses: Int
}
