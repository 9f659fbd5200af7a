/// An answer to keep for the next who asks the same.
public struct CacheWrite: Sendable, Equatable {
    /// The cache key, 32 bytes.
    public var digest: [UInt8]
    /// How long it may serve, in ms.
    public var timeToLive: Int64

    /// Makes one.
    public init(digest: [UInt8], timeToLive: Int64) {
        self.digest = digest
        self.timeToLive = timeToLive
    }
}
