/// `cache:` — replies kept for identical requests.
package struct CacheSettings: Equatable, Sendable {
    /// Whether replies are looked up and kept at all. Default true.
    package var enabled = true
    /// Most entries that a process keeps in memory in front of the store; 0 keeps none there. Default 1000, 0 to 10 million.
    package var maxEntries = 1000
    /// Most bytes that a process keeps in memory in front of the store. Default 64 MiB, 0 to 1 TiB.
    package var maxBytes: Int64 = 64 << 20
    /// How long a reply answers for its request. Default 30 min, 1 s to 3650 days.
    package var ttl: Duration = .seconds(30 * 60)
    /// Whether a worker loads the most used entries into memory when it starts. Default true.
    package var warmOnStart = true
    /// The cache by nearness of meaning.
    package var semantic = SemanticCacheSettings()

    /// Every value at its default: on, without the semantic cache.
    package init() {}
}

/// `cache.semantic:` — answers from the nearest earlier prompt.
package struct SemanticCacheSettings: Equatable, Sendable {
    /// Whether a near prompt may answer. Default false.
    package var enabled = false
    /// The least cosine similarity that counts as near. Default 0.95, 0 to 1.
    package var threshold = 0.95

    /// Every value at its default: off.
    package init() {}
}

/// `retention:` — how long finished jobs stay before `prune` removes them. Each 0 to 36500 days; 0 removes at the next prune.
package struct RetentionSettings: Equatable, Sendable {
    /// Jobs that were answered. Default 7 days.
    package var completed: Duration = .seconds(7 * 86_400)
    /// Jobs that were cancelled. Default 7 days.
    package var cancelled: Duration = .seconds(7 * 86_400)
    /// Jobs that failed for good. Default 30 days.
    package var discarded: Duration = .seconds(30 * 86_400)

    /// Every value at its default.
    package init() {}
}
