/// The cache's counts.
public struct CacheStatistics: Sendable, Equatable {
    public var entries: Int
    public var bytes: Int64
    public var hits: Int
    public var misses: Int
}
