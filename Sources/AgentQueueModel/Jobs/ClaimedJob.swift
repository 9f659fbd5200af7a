/// A job under a lease, with everything a worker needs to run it, so that nothing has to be fetched again.
package struct ClaimedJob: Sendable, Equatable {
    package var lease: Lease
    package var laneID: Int64
    package var batchID: Int64?
    /// 1 to 9; lower runs first.
    package var priority: Int
    /// What it asks of the model.
    package var kind: JobKind
    /// The provider and model it was enqueued for.
    package var target: Target
    /// The request, JSON.
    package var body: String
    /// The request as its client wrote it; nil if ``body`` is all there is.
    package var native: NativeRequest?
    /// Identical for identical requests: the cache key for the job's own target.
    package var digest: [UInt8]
    /// The cache key of the request that is really sent: `digest`, unless a fallback serves the job.
    package var answerDigest: [UInt8]
    /// The number of this attempt, from 1.
    package var attempt: Int
    package var maxAttempts: Int
    /// How many workers have died while calling for this job.
    package var crashes: Int
    /// How long its call may take, in ms; nil uses the configuration's timeout.
    package var timeout: Int64?
    /// Whether a cached answer may serve it.
    package var useCache: Bool
    /// The target to call: `target`, unless a fallback serves the job.
    package var route: Target
    /// Whether its call is the probe by which an open breaker finds out whether the provider works again.
    package var isProbe: Bool
    /// Whether someone wants to read its answer as it arrives.
    package var isStreamed: Bool
    /// The worst-case cost of its call in US dollars, as far as it was reserved; otherwise 0.
    package var worstCost: Double
    /// Whether any capacity was reserved for its call.
    package var isReserved = false
    /// The key whose limits hold for it; nil if there are none.
    package var keyID: Int64?

    /// How long its answer may be served from the cache, in ms; nil uses the configuration's setting.
    package var cacheTimeToLive: Int64?
    /// When the cached answer was written (wall clock, ms); nil if the cache held none when the job was claimed.
    package var cachedAt: Int64?
    /// For `embed`, the number of texts; otherwise 1.
    package var inputs = 1
    /// For `embed`, the size of the request in bytes; otherwise 0.
    package var bytes = 0
    /// Whether it may wait to be sent with others in a provider batch.
    package var waitsForBatch = false

    package var runID: Int64?
    /// Since when it has been due (wall clock, in milliseconds).
    package var readySince: Int64 = 0

    package var isCached: Bool { cachedAt != nil }

    package var id: Int64 { lease.jobID }

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

/// A claim's right to its job. Every settle and heartbeat names it, and is refused once the job carries another token.
package struct Lease: Sendable, Hashable {
    package let jobID: Int64
    /// Taken from a counter that never repeats. (An attempt number can be given back, so it cannot serve as a token.)
    package let token: Int64

    package init(jobID: Int64, token: Int64) {
        self.jobID = jobID
        self.token = token
    }
}
