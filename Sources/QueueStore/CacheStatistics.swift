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
    /// Answers removed before their time because the cache was too large, ever.
    public var evictions = 0
    /// Jobs that were answered by the call of an identical one, ever.
    public var coalesced = 0
    /// What the jobs answered without a call of their own would have cost, in US dollars, ever.
    public var saved: Double = 0
}
