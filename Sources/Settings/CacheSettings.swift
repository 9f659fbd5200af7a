/// `cache:` — replies kept for identical requests.
public struct CacheSettings: Equatable, Sendable {
    /// Whether replies are looked up and kept at all. Default true.
    public var enabled = true
    /// Most entries that a process keeps in memory in front of the store; 0 keeps none there. Default 1000, 0 to 10 million.
    public var maxEntries = 1000
    /// Most bytes that a process keeps in memory in front of the store. Default 64 MiB, 0 to 1 TiB.
    public var maxBytes: Int64 = 64 << 20
    /// How long a reply answers for its request. Default 30 min, 1 s to 3650 days.
    public var ttl: Duration = .seconds(30 * 60)
    /// Whether a worker loads the most used entries into memory when it starts. Default true.
    public var warmOnStart = true
    /// The cache by nearness of meaning.
    public var semantic = SemanticCacheSettings()

    /// Every value at its default: on, without the semantic cache.
    public init() {}
}
