/// A job under a lease, with all that running it needs: nothing is fetched again.
package struct ClaimedJob: Sendable, Equatable {
    /// The right to it.
    package var lease: Lease
    /// Its lane.
    package var laneID: Int64
    /// Its batch.
    package var batchID: Int64?
    /// 1 to 9; lower ran first.
    package var priority: Int
    /// What it asks.
    package var kind: JobKind
    /// What it is sent to.
    package var target: Target
    /// The canonical request, JSON.
    package var body: String
    /// What tells identical requests apart from others; the cache key of its own target.
    package var digest: [UInt8]
    /// The cache key of what is really asked: `digest`, unless a fallback serves.
    package var answerDigest: [UInt8]
    /// This attempt's number, from 1.
    package var attempt: Int
    /// How many there may be.
    package var maxAttempts: Int
    /// Workers that died while they called for it.
    package var crashes: Int
    /// How long its call may take, in ms; nil is the configuration's.
    package var timeout: Int64?
    /// Whether the cache may serve it.
    package var useCache: Bool
    /// What to call: `target`, unless a fallback serves.
    package var route: Target
    /// Whether its call is the one by which an open breaker finds out whether the provider works again.
    package var isProbe: Bool
    /// Whether someone wants to read its answer while it comes.
    package var isStreamed: Bool
    /// What its call may cost at worst, in US dollars, as far as that was reserved; else 0.
    package var worstCost: Double
    /// Whether anything was set aside for its call.
    package var isReserved = false

    /// How long its answer may serve from the cache, in ms; nil is the configuration's.
    package var cacheTimeToLive: Int64?
    /// When the cache's answer was written (wall clock, ms), where it held one when the job was claimed.
    package var cachedAt: Int64?
    /// For `embed`: how many texts it holds; else 1.
    package var inputs = 1
    /// For `embed`: the bytes of its request; else 0.
    package var bytes = 0
    /// Whether it may wait to be sent with others as a batch of the provider's.
    package var waitsForBatch = false

    /// The run that it is a step of.
    package var runID: Int64?

    /// Whether the cache held an answer when it was claimed.
    package var isCached: Bool { cachedAt != nil }

    /// The job's id.
    package var id: Int64 { lease.jobID }

    /// Makes a claimed job; it calls its target, unless told.
    package init(
        lease: Lease, laneID: Int64, batchID: Int64?, priority: Int, kind: JobKind, target: Target, body: String, digest: [UInt8],
        attempt: Int, maxAttempts: Int, crashes: Int, timeout: Int64?, useCache: Bool, cachedAt: Int64? = nil, route: Target? = nil,
        isProbe: Bool = false, isStreamed: Bool = false, worstCost: Double = 0
    ) {
        self.lease = lease
        self.laneID = laneID
        self.batchID = batchID
        self.priority = priority
        self.kind = kind
        self.target = target
        self.body = body
        self.digest = digest
        answerDigest = digest
        self.attempt = attempt
        self.maxAttempts = maxAttempts
        self.crashes = crashes
        self.timeout = timeout
        self.useCache = useCache
        self.cachedAt = cachedAt
        self.route = route ?? target
        self.isProbe = isProbe
        self.isStreamed = isStreamed
        self.worstCost = worstCost
    }
}

/// A claim's right to its job. Every settle and heartbeat names it, and is refused once the job's token is another.
package struct Lease: Sendable, Hashable {
    /// The job.
    package let jobID: Int64
    /// From a counter that never repeats. (An attempt number can be given back, so it would be no token.)
    package let token: Int64

    /// Names a claim.
    package init(jobID: Int64, token: Int64) {
        self.jobID = jobID
        self.token = token
    }
}
