/// `cache:` — replies kept for identical requests.
package struct CacheSettings: Equatable, Sendable {
    /// Whether replies are looked up and stored at all. Default true.
    package var enabled = true
    /// Maximum entries that a process keeps in memory in front of the store; 0 keeps none there. Default 1000, 0 to 10 million.
    package var maxEntries = 1000
    /// Maximum bytes that a process keeps in memory in front of the store. Default 64 MiB, 0 to 1 TiB.
    package var maxBytes: Int64 = 64 << 20
    /// How long a reply may be served. Default 30 min, 1 s to 3650 days.
    package var ttl: Duration = .seconds(30 * 60)
    /// Whether a worker loads the most used entries into memory at start. Default true.
    package var warmOnStart = true
    package var semantic = SemanticCacheSettings()

    /// All defaults: on, without the semantic cache.
    package init() {}
}

/// `cache.semantic:` — answers from the most similar earlier prompt.
package struct SemanticCacheSettings: Equatable, Sendable {
    /// Whether the reply to a similar prompt may be served. Default false.
    package var enabled = false
    /// The minimum cosine similarity. Default 0.95, 0 to 1.
    package var threshold = 0.95

    /// All defaults: off.
    package init() {}
}

/// `retention:` — how long finished jobs are kept before `prune` removes them. Each 0 to 36500 days; 0 removes them at the next prune.
package struct RetentionSettings: Equatable, Sendable {
    /// Completed jobs. Default 7 days.
    package var completed: Duration = .seconds(7 * 86_400)
    /// Cancelled jobs. Default 7 days.
    package var cancelled: Duration = .seconds(7 * 86_400)
    /// Failed jobs. Default 30 days.
    package var discarded: Duration = .seconds(30 * 86_400)

    package init() {}
}
