import AgentQueueModel

/// What the end of a call says about a provider or a target.
struct CallResult {
    /// The call's number.
    var call: Int64
    /// How the call failed; nil if it returned an answer.
    var failure: FailureClass?
    /// The provider's own retry-after, in milliseconds from now.
    var retryAfter: Int64?
    /// The failure in one sentence.
    var message: String
    /// Whether the failure is about this provider or target.
    var isConcerned: Bool
    /// The latest token issued; no call that has begun so far has a greater number.
    var latestToken: Int64
    /// How many calls of the target are under way.
    var underWay: Double = 0
}

extension ProviderQuota {
    /// Waits in milliseconds, each twice the one before: after a rate limit without a retry-after, a refused key, and exhausted quota.
    static let parkWaits: (first: Int64, longest: Int64) = (1_000, 60_000)
    static let authenticationWaits: (first: Int64, longest: Int64) = (60_000, 3_600_000)
    static let quotaWaits: (first: Int64, longest: Int64) = (600_000, 21_600_000)

    /// The longest retry-after that is believed, in milliseconds: a year.
    static let longestWait: Int64 = 366 * dayLength

    /// The factor by which each further refusal shrinks an inferred limit.
    static let shrinkage = 0.95
    /// What each answer adds to an inferred limit, in calls per minute: a limit that is too tight grows by 2 % in a minute of full use.
    static let growth = 0.02

    /// Updates the breaker, the pause and the trial after a call.
    mutating func record(_ result: CallResult, _ policy: CircuitBreaker.Policy, now: Int64) {
        let health = result.failure.map(\.showsHealth) ?? true
        if breaker.state == .halfOpen(probe: result.call) {
            // Whatever the failure is about, the probe must either settle the breaker or make way for another probe.
            if let health {
                breaker.record(result.call, succeeded: health, now: now, policy)
            } else {
                breaker.abandonProbe(result.call, now: now)
            }
        } else if let health, health || result.isConcerned {
            breaker.record(result.call, succeeded: health, now: now, policy)
        }
        if health == true { succeed(result.call) }
        guard let failure = result.failure, ![.shutdown, .cancelled, .crashed].contains(failure) else { return }
        fault = Fault(failure: failure, message: result.message, at: now)
        guard result.isConcerned else { return }
        switch failure {
        case .rateLimited: park(result, failure, now)
        case .overloaded where result.retryAfter != nil: park(result, failure, now)
        case .authentication: suspend(result, failure, Self.authenticationWaits, retryAfter: nil, now)
        case .quotaExhausted: suspend(result, failure, Self.quotaWaits, retryAfter: result.retryAfter, now)
        default: break
        }
    }

    /// Resets the state, because a user says that the provider works again. Configured and observed limits stay; inferred ones are
    /// dropped.
    mutating func resume(now: Int64) {
        breaker.reset()
        pause = nil
        pauses = 0
        parks = 0
        trial = nil
        waitingSince = nil
        for rate in Rate.allCases {
            guard let limit = self[rate] else { continue }
            if limit.origin == .inferred {
                self[rate] = nil
            } else if limit.bucket.updatedAt > now {
                self[rate]?.bucket = TokenBucket(capacity: limit.bucket.capacity, now: now)
            }
        }
    }

    /// Adopts a limit that the provider reports.
    /// - Parameter underWay: what calls under way use of a limit that was not known when they began.
    mutating func observe(
        _ window: ObservedLimits.Window, _ rate: Rate, configured: Double?, underWay: Double, now: Int64
    ) {
        let limit = window.limit.flatMap { $0 >= 1 ? Double($0) : nil }
        if self[rate] == nil {
            guard let limit else { return }
            let capacity = min(limit, configured ?? limit)
            self[rate] = RateLimit(TokenBucket(capacity: capacity, level: capacity - underWay, updatedAt: now), .observed)
        }
        if let limit { self[rate]?.origin = configured.map { limit < $0 ? .observed : .configured } ?? .observed }
        self[rate]?.bucket.observe(
            limit: limit, remaining: window.remaining.map(Double.init), reset: window.resetAfter, configured: configured, now: now)
    }

    // MARK: Pauses

    /// Returns false for a call that began before the latest pause: it says nothing about the time after it.
    private func isNews(_ call: Int64) -> Bool { trial.map { call > $0.after } ?? true }

    private mutating func succeed(_ call: Int64) {
        guard isNews(call) else { return }
        trial = nil
        pause = nil
        pauses = 0
        parks = 0
        guard let limit = self[.requests], limit.origin == .inferred else { return }
        self[.requests]?.bucket.correct(limit.bucket.capacity + Self.growth)
    }

    private mutating func park(_ result: CallResult, _ failure: FailureClass, _ now: Int64) {
        let isNews = isNews(result.call)
        if failure == .rateLimited {
            infer(result, isNews: isNews, now)
        }
        let wait: Int64
        if let retryAfter = result.retryAfter {
            wait = min(max(0, retryAfter), Self.longestWait)
        } else {
            guard isNews else { return }
            wait = Self.doubled(Self.parkWaits, times: parks)
            parks += 1
        }
        self[.requests]?.bucket.park(until: now + wait, now: now)
        pause(until: now + wait, result, failure, isNews: isNews)
    }

    /// Infers a limit of calls per minute from a refusal with a retry-after. A wait of more than a minute is ignored, because it is for
    /// another limit, such as a plan's; so is a refusal without one, which may have any cause, such as too many concurrent calls.
    private mutating func infer(_ result: CallResult, isNews: Bool, _ now: Int64) {
        guard let wait = result.retryAfter, wait <= 60_000 else { return }
        // A limit that refills evenly admits a call after the wait, so it admits at least one per wait. Ask for slightly less, because
        // calls are not evenly spaced and one that comes a moment early is refused.
        let least = Self.shrinkage * 60_000 / Double(max(1, wait))
        if let limit = self[.requests] {
            guard isNews, limit.origin == .inferred else { return }
            self[.requests]?.bucket.correct(max(limit.bucket.capacity * Self.shrinkage, least))
        } else {
            // Count calls that have not ended: long ones may be most of a minute's calls.
            let taken = taken(now: now) + result.underWay
            guard taken >= 1 else { return }
            self[.requests] = RateLimit(TokenBucket(capacity: max(Self.shrinkage * taken, least), now: now), .inferred)
        }
    }

    private mutating func suspend(
        _ result: CallResult, _ failure: FailureClass, _ waits: (first: Int64, longest: Int64), retryAfter: Int64?, _ now: Int64
    ) {
        guard isNews(result.call) else { return }
        let wait: Int64
        if let retryAfter {
            wait = min(max(0, retryAfter), Self.longestWait)
        } else {
            wait = Self.doubled(waits, times: pauses)
            pauses += 1
        }
        pause(until: now + wait, result, failure, isNews: true)
    }

    private mutating func pause(until time: Int64, _ result: CallResult, _ failure: FailureClass, isNews: Bool) {
        if time >= pause?.until ?? .min { pause = Pause(until: time, failure: failure, reason: result.message) }
        if isNews { trial = Trial(after: result.latestToken) }
    }

    private static func doubled(_ waits: (first: Int64, longest: Int64), times: Int) -> Int64 {
        min(waits.longest, waits.first << Int64(min(max(times, 0), 30)))
    }
}
