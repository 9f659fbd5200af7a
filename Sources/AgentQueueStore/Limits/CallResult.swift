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
    /// Waits in milliseconds, each twice the one before: after a rate limit without a retry-after, a refused key, exhausted quota,
    /// and a connection that could not be made.
    static let parkWaits: (first: Int64, longest: Int64) = (1_000, 60_000)
    static let authenticationWaits: (first: Int64, longest: Int64) = (60_000, 3_600_000)
    static let quotaWaits: (first: Int64, longest: Int64) = (600_000, 21_600_000)

    static let connectionWaits: (first: Int64, longest: Int64) = (1_000, 30_000)

    /// The longest retry-after that is believed, in milliseconds: a year.
    static let longestWait: Int64 = 366 * dayLength

    /// The longest retry-after that may teach a limit per minute, in milliseconds: a longer one is for another limit, such as a plan's.
    static let longestWindow: Int64 = 60_000

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
        if health == true {
            congestion?.accept(result.call, now: now)
            succeed(result.call, now)
        }
        guard let failure = result.failure, ![.shutdown, .cancelled, .crashed].contains(failure) else { return }
        fault = Fault(failure: failure, message: result.message, at: now)
        guard result.isConcerned else { return }
        switch failure {
        case .rateLimited: refuse(result, now)
        case .overloaded where result.retryAfter != nil: park(result, failure, now)
        case .authentication: suspend(result, failure, Self.authenticationWaits, retryAfter: nil, now)
        case .unreachable: suspend(result, failure, Self.connectionWaits, retryAfter: nil, now)
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
        congestion = nil
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

    private mutating func succeed(_ call: Int64, _ now: Int64) {
        guard isNews(call) else { return }
        // A refusal that came after this call had begun still holds.
        if let pause, pause.until > now, let congestion, call <= congestion.backoffAfter { return }
        trial = nil
        pause = nil
        pauses = 0
        parks = 0
    }

    /// A call was refused for its rate. What the provider announces, and waits that are longer than a minute, are taken at their word. All
    /// else is weighed first: a single refusal holds back its own job, and many are a limit.
    private mutating func refuse(_ result: CallResult, _ now: Int64) {
        let isAnnounced = Rate.allCases.contains { self[$0]?.origin == .observed }
        if isAnnounced || result.retryAfter ?? 0 > Self.longestWindow { return park(result, .rateLimited, now) }
        var control = congestion ?? CongestionControl()
        // Count calls that have not ended: long ones may be most of a minute's calls.
        let wait = control.refuse(
            result.call, retryAfter: result.retryAfter, latest: result.latestToken, taken: taken(now: now) + result.underWay, now: now)
        congestion = control
        guard let wait else { return }
        if self[.requests] == nil, let rate = control.rate(at: now) {
            self[.requests] = RateLimit(TokenBucket(capacity: rate, level: 1, updatedAt: now), .inferred)
        }
        self[.requests]?.bucket.park(until: now + wait, now: now)
        pause(until: now + wait, result, .rateLimited, isNews: false)
    }

    private mutating func park(_ result: CallResult, _ failure: FailureClass, _ now: Int64) {
        let isNews = isNews(result.call)
        guard isNews || result.retryAfter != nil else { return }
        let wait = Self.wait(result.retryAfter, Self.parkWaits, times: parks)
        if isNews { parks += 1 }
        self[.requests]?.bucket.park(until: now + wait, now: now)
        pause(until: now + wait, result, failure, isNews: isNews)
    }

    private mutating func suspend(
        _ result: CallResult, _ failure: FailureClass, _ waits: (first: Int64, longest: Int64), retryAfter: Int64?, _ now: Int64
    ) {
        guard isNews(result.call) else { return }
        var wait = Self.wait(retryAfter, waits, times: pauses)
        pauses += 1
        // Databases that share a server should not all try it at the same moment. The call's number is chance enough.
        if failure == .unreachable { wait -= wait / 5 * (result.call &* 7_919 & 1_023) / 1_023 }
        pause(until: now + wait, result, failure, isNews: true)
    }

    private mutating func pause(until time: Int64, _ result: CallResult, _ failure: FailureClass, isNews: Bool) {
        if time >= pause?.until ?? .min { pause = Pause(until: time, failure: failure, reason: result.message) }
        if isNews { trial = Trial(after: result.latestToken) }
    }

    /// A wait that the provider asks for is believed once. Where calls are refused after it again and again, it is too short: then it is no
    /// shorter than it would be for a refused rate without a time.
    private static func wait(_ retryAfter: Int64?, _ waits: (first: Int64, longest: Int64), times: Int) -> Int64 {
        guard let retryAfter, retryAfter > 0 else { return doubled(waits, times: times) }
        return max(min(retryAfter, longestWait), times == 0 ? 0 : doubled(parkWaits, times: times - 1))
    }

    private static func doubled(_ waits: (first: Int64, longest: Int64), times: Int) -> Int64 {
        min(waits.longest, waits.first << Int64(min(max(times, 0), 30)))
    }
}
