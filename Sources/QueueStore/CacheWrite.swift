/// An answer to keep for the next who asks the same.
public struct CacheWrite: Sendable, Equatable {
    /// The cache key, 32 bytes.
    public var digest: [UInt8]
    /// How long it may serve, in ms.
    public var timeToLive: Int64
    /// When it was answered (wall clock, ms), which is its version; nil is the transaction's own time.
    public var createdAt: Int64?

    /// Makes one.
    public init(digest: [UInt8], timeToLive: Int64, createdAt: Int64? = nil) {
        self.digest = digest
        self.timeToLive = timeToLive
        self.createdAt = createdAt
    }
}
