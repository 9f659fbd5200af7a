import AgentQueueDialects
import AgentQueueModel
import AgentQueueSettings

/// What applies to a request besides its body: its headers decide first, then its key, then the configuration.
struct CallPolicy: Sendable, Equatable {
    /// What the key says.
    struct KeyRules: Sendable, Equatable {
        var id: Int64
        /// The queue of its jobs.
        var queue: String
        /// Whether its calls are answered from the cache; nil leaves that to the configuration.
        var usesCache: Bool?
        var onDisconnect: DisconnectPolicy?
        /// The most urgent priority that it may ask for.
        var bestPriority: Int?
    }

    var key: Int64
    var queue: String
    var priority: Int
    /// Whether a cached answer will do.
    var usesCache: Bool
    /// Whether the answer is made anew and kept.
    var renewsCache = false
    /// How long the answer is kept in the cache, in ms; nil is what the configuration says.
    var cacheTimeToLive: Int64?
    /// The oldest cached answer that will do, in ms; nil for any.
    var maxCacheAge: Int64?
    var cacheScope: CacheScope
    var maxWait: Duration
    var onDisconnect: DisconnectPolicy
    var dropsUnsupported: Bool

    /// - Parameter serviceTier: the member of the request, if it has one.
    init(_ headers: CallHeaders, _ key: KeyRules, _ settings: ServeSettings, serviceTier: String? = nil) {
        self.key = key.id
        queue = key.queue
        priority = max(headers.priority ?? Self.priority(ofTier: serviceTier), key.bestPriority ?? JobLimits.priorities.lowerBound)
        switch headers.cache {
        case .off: usesCache = false
        case .renew(let timeToLive): (usesCache, renewsCache, cacheTimeToLive) = (false, true, timeToLive)
        case .use(let maxAge): (usesCache, cacheTimeToLive, maxCacheAge) = (true, maxAge, maxAge)
        case .usual: usesCache = key.usesCache ?? settings.cache
        }
        cacheScope = settings.cacheScope
        maxWait = min(headers.maxWait.map { Duration.milliseconds($0) } ?? settings.maxWait, settings.maxWait)
        onDisconnect = headers.onDisconnect ?? key.onDisconnect ?? settings.onDisconnect
        dropsUnsupported = headers.dropsUnsupported ?? (settings.unsupported == .drop)
    }

    static func priority(ofTier tier: String?) -> Int {
        switch tier {
        case "priority": 3
        case "flex": 7
        default: 5
        }
    }
}
