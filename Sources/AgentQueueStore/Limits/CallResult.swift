import AgentQueueModel

/// What a call's end says about a resource.
struct CallResult {
    /// The call's number.
    var call: Int64
    /// How it failed; nil if it brought an answer.
    var failure: FailureClass?
    /// The provider's own word on when to try again, in ms from now.
    var retryAfter: Int64?
    /// One sentence.
    var message: String
    /// Whether the failure is about this resource.
    var isConcerned: Bool
    /// The latest token given out: calls that began before now have no greater number.
    var latestToken: Int64
    /// Calls of the target that are under way.
    var underWay: Double = 0
}

extension ProviderQuota {
    /// Waits in ms, of which each doubles the one before: after a rate limit that names no time, a refused key, an empty account.
    static let parkWaits: (first: Int64, longest: Int64) = (1_000, 60_000)
    static let authenticationWaits: (first: Int64, longest: Int64) = (60_000, 3_600_000)
    static let quotaWaits: (first: Int64, longest: Int64) = (600_000, 21_600_000)

    /// The longest wait that a provider's word is believed for, in ms: a year.
    static let longestWait: Int64 = 366 * dayLength

    /// What each further refusal leaves of a limit that was inferred from refusals.
    static let shrinkage = 0.95
    /// What each answer adds to it, in calls a minute: a limit that was too tight grows by 2 % in a minute of full use.
    static let growth = 0.02

    /// Draws what follows from a call's end: breaker, pause, trial.
    mutating func record(_ verdict: CallResult, _ policy: CircuitBreaker.Policy, now: Int64) {
        let health = verdict.failure.map(\.showsHealth) ?? true
        if breaker.state == .halfOpen(probe: verdict.call) {
            // Whomever the failure is about: the probe has to say something, or another must.
            if let health {
                breaker.record(verdict.call, succeeded: health, now: now, policy)
            } else {
                breaker.abandonProbe(verdict.call, now: now)
            }
        } else if let health, health || verdict.isConcerned {
            breaker.record(verdict.call, succeeded: health, now: now, policy)
        }
        if health == true { succeed(verdict.call) }
        guard let failure = verdict.failure, ![.shutdown, .cancelled, .crashed].contains(failure) else { return }
        fault = Fault(failure: failure, message: verdict.message, at: now)
        guard verdict.isConcerned else { return }
        switch failure {
        case .rateLimited: park(verdict, failure, now)
        case .overloaded where verdict.retryAfter != nil: park(verdict, failure, now)
        case .authentication: suspend(verdict, failure, Self.authenticationWaits, retryAfter: nil, now)
        case .quotaExhausted: suspend(verdict, failure, Self.quotaWaits, retryAfter: verdict.retryAfter, now)
        default: break
        }
    }

    /// A person says that it works.
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

    /// Takes the provider's own word for a limit.
    /// - Parameter underWay: what calls under way have taken of a limit that was not known when they began.
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

    /// A call that began before the latest pause says nothing about the time after it.
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

    private mutating func park(_ verdict: CallResult, _ failure: FailureClass, _ now: Int64) {
        let isNews = isNews(verdict.call)
        if failure == .rateLimited {
            infer(verdict, isNews: isNews, now)
        }
        let wait: Int64
        if let retryAfter = verdict.retryAfter {
            wait = min(max(0, retryAfter), Self.longestWait)
        } else {
            guard isNews else { return }
            wait = Self.doubled(Self.parkWaits, times: parks)
            parks += 1
        }
        self[.requests]?.bucket.park(until: now + wait, now: now)
        pause(until: now + wait, verdict, failure, isNews: isNews)
    }

    /// Learns a limit of calls a minute from a refusal that names a wait: a longer one than a minute is for another limit, such as a
    /// plan's, and one that names none may be for anything, such as too many calls at once.
    private mutating func infer(_ verdict: CallResult, isNews: Bool, _ now: Int64) {
        guard let wait = verdict.retryAfter, wait <= 60_000 else { return }
        // A limit that fills evenly has room for a call after the wait: so it lets through at least one in each. A little less is
        // asked of it: a call that comes a moment early is refused, and calls do not come by the clock.
        let least = Self.shrinkage * 60_000 / Double(max(1, wait))
        if let limit = self[.requests] {
            guard isNews, limit.origin == .inferred else { return }
            self[.requests]?.bucket.correct(max(limit.bucket.capacity * Self.shrinkage, least))
        } else {
            // Calls that have not ended count: long ones may be most of a minute's.
            let taken = taken(now: now) + verdict.underWay
            guard taken >= 1 else { return }
            self[.requests] = RateLimit(TokenBucket(capacity: max(Self.shrinkage * taken, least), now: now), .inferred)
        }
    }

    private mutating func suspend(
        _ verdict: CallResult, _ failure: FailureClass, _ waits: (first: Int64, longest: Int64), retryAfter: Int64?, _ now: Int64
    ) {
        guard isNews(verdict.call) else { return }
        let wait: Int64
        if let retryAfter {
            wait = min(max(0, retryAfter), Self.longestWait)
        } else {
            wait = Self.doubled(waits, times: pauses)
            pauses += 1
        }
        pause(until: now + wait, verdict, failure, isNews: true)
    }

    private mutating func pause(until time: Int64, _ verdict: CallResult, _ failure: FailureClass, isNews: Bool) {
        if time >= pause?.until ?? .min { pause = Pause(until: time, failure: failure, reason: verdict.message) }
        if isNews { trial = Trial(after: verdict.latestToken) }
    }

    private static func doubled(_ waits: (first: Int64, longest: Int64), times: Int) -> Int64 {
        min(waits.longest, waits.first << Int64(min(max(times, 0), 30)))
    }
}
