import AgentQueueModel

/// Whether calls may begin.
enum Admission: Equatable {
    /// Up to `count` may begin; exactly one if it is a probe.
    case open(count: Int, isProbe: Bool)
    /// None may begin now.
    case closed(Closure)
    /// This job's call may never begin; the string says why.
    case never(String)

    /// Why no call may begin.
    struct Closure: Equatable {
        /// When calls may begin again (wall clock, in milliseconds); nil if that depends on the end of a call.
        var until: Int64?
        /// Whether the provider is failing, as opposed to busy.
        var isFault: Bool
        /// Since when claims have waited for a call to end; nil if none waits.
        var waitingSince: Int64?
        /// What a person is told.
        var cause: WaitCause?
    }

    /// Combines the admissions of two levels that a call must both pass.
    func and(_ other: Admission) -> Admission {
        switch (self, other) {
        case (.never, _): self
        case (_, .never): other
        case (.open(let count, let isProbe), .open(let otherCount, let otherIsProbe)):
            .open(count: min(count, otherCount), isProbe: isProbe || otherIsProbe)
        case (.closed, .open): self
        case (.open, .closed): other
        case (.closed(let one), .closed(let other)):
            .closed(
                Closure(
                    until: one.until.flatMap { until in other.until.map { max(until, $0) } }, isFault: one.isFault || other.isFault,
                    waitingSince: [one.waitingSince, other.waitingSince].compactMap(\.self).min(), cause: one.cause ?? other.cause))
        }
    }
}

extension ProviderQuota {
    /// In milliseconds.
    static let dayLength: Int64 = 86_400_000

    /// Returns whether calls may begin, and how many.
    /// - Parameters:
    ///   - estimate: the expected use of one call; if nil, token and money limits are not checked.
    func gate(_ limits: CallLimits, estimate: CallEstimate?, now: Int64) -> Admission {
        var count = Int.max
        var isProbe = false
        switch breaker.admission(now: now) {
        case .all: break
        case .none(let time):
            let failure = fault.map { ": \($0.message)" } ?? ""
            return closed(until: time, isFault: true, .breaker, "its circuit breaker is open after failures\(failure)")
        case .probe:
            count = 1
            isProbe = true
        }
        if let pause {
            let isFault = [.unreachable, .authentication, .quotaExhausted].contains(pause.failure)
            if now < pause.until { return closed(until: pause.until, isFault: isFault, .pause, pause.reason) }
            if let trial, trial.running > 0 { return closed(until: nil, isFault: isFault, .pause, Self.onTrial) }
        }
        if let trial {
            guard trial.running == 0 else { return closed(until: nil, isFault: false, .pause, Self.onTrial) }
            count = 1
        }
        if let limit = limits.concurrency {
            guard running < limit else {
                return closed(until: nil, isFault: false, .limit, limit == 1 ? "1 call at once" : "\(limit) calls at once")
            }
            count = min(count, limit - running)
        }
        if let bucket = limit(.requests, limits)?.bucket {
            let opening = bucket.opening(for: 1, now: now)
            guard opening <= now else { return closed(until: opening, isFault: false, .limit, Self.words(.requests, bucket)) }
            // Capped at a million: nobody has more calls under way.
            count = min(count, max(1, Int(min(bucket.level(at: now) + 1e-6, 1e6))))
        }
        guard let estimate else { return .open(count: count, isProbe: isProbe) }
        return gate(estimate, limits, now).and(.open(count: needsEstimate(limits) ? 1 : count, isProbe: isProbe))
    }

    /// Returns whether calls must be admitted one by one, because what each uses counts.
    func needsEstimate(_ limits: CallLimits) -> Bool {
        limits.usdPerDay != nil || [.tokens, .inputTokens, .outputTokens].contains { limit($0, limits) != nil }
    }

    /// Returns whether the call's expected tokens fit into a full minute's limits.
    func fits(_ estimate: CallEstimate, _ limits: CallLimits) -> Bool {
        [Rate.tokens, .inputTokens, .outputTokens].allSatisfy { rate in
            limit(rate, limits).map { estimate[rate] <= $0.bucket.capacity } ?? true
        }
    }

    /// Returns whether calls need a reservation.
    func isLimited(_ limits: CallLimits) -> Bool {
        limits != CallLimits() || trial != nil || congestion?.countsCalls == true || Rate.allCases.contains { limit($0, limits) != nil }
    }

    /// Returns the rate limit that applies. A configured limit applies only to processes whose configuration has it.
    func limit(_ rate: Rate, _ limits: CallLimits) -> RateLimit? {
        guard let limit = self[rate], limit.origin != .configured || limits[rate] != nil else { return nil }
        return limit
    }

    /// Creates or resizes the limits to match the configuration. It may tighten a limit learned from the provider, but not widen it.
    mutating func configure(_ limits: CallLimits, now: Int64) {
        for rate in Rate.allCases {
            guard let configured = limits[rate] else { continue }
            guard let known = self[rate] else {
                self[rate] = RateLimit(TokenBucket(capacity: configured, now: now), .configured)
                continue
            }
            if known.origin == .configured ? known.bucket.capacity != max(1, configured) : known.bucket.capacity > configured {
                self[rate]?.bucket.resize(configured)
            }
        }
    }

    /// Brings the limit of calls per minute into line with what refusals have taught, and forgets what is too old. It may tighten a configured
    /// limit, but not widen it.
    mutating func followRefusals(_ limits: CallLimits, now: Int64) {
        guard let control = congestion else { return }
        let isOver = control.isOver(at: now)
        if isOver { congestion = nil }
        let configured = limits[.requests]
        guard !isOver, let rate = control.rate(at: now), rate < configured ?? .infinity else {
            if self[.requests]?.origin == .inferred { self[.requests] = nil }
            if self[.requests] == nil, let configured {
                self[.requests] = RateLimit(TokenBucket(capacity: configured, level: 1, updatedAt: now), .configured)
            }
            return
        }
        switch self[.requests]?.origin {
        case .observed: return
        case .inferred: break
        case .configured, nil:
            let waits = self[.requests].map { max(now, $0.bucket.updatedAt) } ?? now
            self[.requests] = RateLimit(TokenBucket(capacity: rate, level: 1, updatedAt: waits), .inferred)
        }
        // Whoever looks often should not write often.
        guard let bucket = self[.requests]?.bucket, bucket.isFar(from: rate, now: now) else { return }
        self[.requests]?.bucket.follow(rate, now: now)
    }

    private func closed(until time: Int64?, isFault: Bool, _ kind: WaitCause.Kind, _ detail: String) -> Admission {
        .closed(
            Admission.Closure(
                until: time, isFault: isFault, waitingSince: waitingSince,
                cause: WaitCause(kind: kind, name: name, detail: detail, until: time)))
    }

    private static let onTrial = "one call is finding out whether it works again"

    private static func words(_ rate: Rate, _ bucket: TokenBucket) -> String {
        let unit =
            switch rate {
            case .requests: bucket.capacity < 2 ? "request" : "requests"
            case .tokens: "tokens"
            case .inputTokens: "input tokens"
            case .outputTokens: "output tokens"
            }
        return "\(Int64(max(1, min(bucket.capacity, 1e15)))) \(unit) a minute"
    }

    private func gate(_ estimate: CallEstimate, _ limits: CallLimits, _ now: Int64) -> Admission {
        var opening = now
        var exhausted = ""
        for rate in [Rate.tokens, .inputTokens, .outputTokens] {
            guard let bucket = limit(rate, limits)?.bucket else { continue }
            let time = bucket.opening(for: estimate[rate], now: now)
            if time > opening { (opening, exhausted) = (time, Self.words(rate, bucket)) }
        }
        guard opening <= now else { return closed(until: opening, isFault: false, .limit, exhausted) }
        guard let cap = limits.usdPerDay else { return .open(count: .max, isProbe: false) }
        guard estimate.canBeLimited else {
            return .never(
                "the call's price is unknown, and '\(name)' may cost \(Money.display(cap)) in a day (usd_per_day); set the model's price")
        }
        // Absorbs rounding: even a thousand additions are off by less than a millionth of a cent.
        let tolerance = 1e-9
        guard estimate.worstCost <= cap + tolerance else {
            return .never(
                "the call may cost \(Money.display(estimate.worstCost)), more than '\(name)' may cost in a day (usd_per_day \(Money.display(cap)))"
            )
        }
        let today = now / Self.dayLength
        let spent = day >= today ? spent : 0
        // Reserved money may become free when its call ends, so wait for that.
        if spent + estimate.worstCost <= cap + tolerance, spent + reserved + estimate.worstCost > cap + tolerance {
            return closed(until: nil, isFault: false, .limit, "\(Money.display(cap)) a day")
        }
        guard spent + reserved + estimate.worstCost <= cap + tolerance else {
            return closed(until: (max(day, today) + 1) * Self.dayLength, isFault: false, .limit, "\(Money.display(cap)) a day")
        }
        return .open(count: .max, isProbe: false)
    }
}
