/// The counts of a ``ResponseCache``.
public struct ResponseCacheStatistics: Sendable, Equatable {
    /// Answers kept, those included that have expired and were not met since.
    public var entries: Int
    /// What they take, in bytes.
    public var bytes: Int64
    /// Lookups that found an answer.
    public var hits: Int
    /// Lookups that found none, or one that had expired or was of another version.
    public var misses: Int
    /// Answers that made room for others although they had not expired.
    public var evictions: Int
    /// Answers that went because they had expired.
    public var expirations: Int
}
