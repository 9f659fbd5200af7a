import AgentQueueModel

/// What all processes know of a provider or a target: a row of `resources`, held in memory by one transaction.
struct ProviderQuota: Equatable {
    /// Not called until then.
    struct Pause: Equatable {
        var until: Int64
        var failure: FailureClass
        var reason: String
    }

    /// One call at a time, until one succeeds that began after a token was given out.
    struct Trial: Equatable {
        var after: Int64
        /// Calls under way that began after it.
        var running = 0
    }

    /// Its latest failure.
    struct Fault: Equatable {
        var failure: FailureClass
        var message: String
        var at: Int64
    }

    /// `provider` or `provider/model`.
    let name: String
    /// Its rows in `reservations`.
    var running = 0
    /// Since when a claim waits for something here to end; nil if none does.
    var waitingSince: Int64?
    var pause: Pause?
    /// In a row, for a refused key or an empty account.
    var pauses = 0
    /// In a row, for a rate limit that named no time.
    var parks = 0
    var trial: Trial?
    /// By ``Rate``.
    private var rates: [4 of RateLimit?] = .init(repeating: nil)
    /// The latest minute in which the provider took calls, how many, and how many in the minute before.
    var minute: (number: Int64, calls: Int, before: Int) = (0, 0, 0)
    var breaker = CircuitBreaker()
    /// UTC days since 1970.
    var day: Int64 = 0
    /// US dollars, on that day.
    var spent: Double = 0
    /// US dollars set aside for calls under way.
    var reserved: Double = 0
    var fault: Fault?

    init(name: String) { self.name = name }

    subscript(rate: Rate) -> RateLimit? {
        get { rates[rate.rawValue] }
        set { rates[rate.rawValue] = newValue }
    }

    static func == (one: ProviderQuota, other: ProviderQuota) -> Bool {
        one.name == other.name && one.running == other.running && one.waitingSince == other.waitingSince && one.pause == other.pause
            && one.pauses == other.pauses && one.parks == other.parks && one.trial == other.trial && one.minute == other.minute
            && Rate.allCases.allSatisfy { one[$0] == other[$0] } && one.breaker == other.breaker && one.day == other.day
            && one.spent == other.spent && one.reserved == other.reserved && one.fault == other.fault
    }
}

/// What is limited a minute.
enum Rate: Int, CaseIterable {
    case requests, tokens, inputTokens, outputTokens
}

extension CallLimits {
    /// The limit of a rate.
    subscript(rate: Rate) -> Double? {
        switch rate {
        case .requests: requestsPerMinute.map(Double.init)
        case .tokens: tokensPerMinute.map(Double.init)
        case .inputTokens: inputTokensPerMinute.map(Double.init)
        case .outputTokens: outputTokensPerMinute.map(Double.init)
        }
    }
}

extension CallEstimate {
    /// What a call takes of a rate.
    subscript(rate: Rate) -> Double {
        switch rate {
        case .requests: Double(requests)
        case .tokens: Double(inputTokens + outputTokens)
        case .inputTokens: Double(inputTokens)
        case .outputTokens: Double(outputTokens)
        }
    }
}

/// A rate limit of a resource, and where it comes from.
struct RateLimit: Equatable {
    /// Who says so.
    enum Origin: String {
        /// Its owner, in the configuration. Holds only for processes that have it there.
        case configured
        /// The provider, in the headers of its answers.
        case observed
        /// Its refusals.
        case inferred
    }

    var bucket: TokenBucket
    var origin: Origin

    init(_ bucket: TokenBucket, _ origin: Origin) {
        self.bucket = bucket
        self.origin = origin
    }

    /// Reads what ``text`` wrote; nil where it is damaged.
    init?(_ text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 5, let capacity = Double(parts[0]), let level = Double(parts[1]), let updatedAt = Int64(parts[2]),
            let origin = Origin(rawValue: String(parts[4]))
        else { return nil }
        bucket = TokenBucket(capacity: capacity, level: level, updatedAt: updatedAt, renewsAtOnce: parts[3] == "1")
        self.origin = origin
    }

    /// As stored.
    var text: String {
        "\(bucket.capacity) \(bucket.level) \(bucket.updatedAt) \(bucket.renewsAtOnce ? 1 : 0) \(origin.rawValue)"
    }
}

extension ProviderQuota {
    /// A call begins that something is set aside for.
    /// - Parameter isProbe: whether an open breaker let it through to find out. A part of a call that was divided asks no breaker.
    mutating func reserve(_ call: Int64, _ estimate: CallEstimate, isProbe: Bool, now: Int64) {
        running += estimate.requests
        reserved += estimate.worstCost
        trial?.running += estimate.requests
        if isProbe { breaker.beginProbe(call) }
        for rate in Rate.allCases {
            let share = share(of: estimate, rate)
            self[rate]?.bucket.take(share, now: now)
        }
    }

    /// A call that something was set aside for has ended, however it did.
    /// - Returns: whether claims wait for that.
    mutating func release(_ call: Int64, _ estimate: CallEstimate) -> Bool {
        running = max(0, running - estimate.requests)
        reserved = max(0, reserved - estimate.worstCost)
        // Nothing set aside is exactly nothing: sums of fractions seldom come out even.
        if running == 0, reserved < 1e-9 { reserved = 0 }
        if let trial, call > trial.after { self.trial?.running = max(0, trial.running - estimate.requests) }
        defer { waitingSince = nil }
        return waitingSince != nil
    }

    /// A call that was announced was not made.
    mutating func giveBack(_ call: Int64, _ estimate: CallEstimate, now: Int64) {
        for rate in Rate.allCases {
            let share = share(of: estimate, rate)
            self[rate]?.bucket.settle(taken: share, used: 0, now: now)
        }
        if estimate.requests > 0 { breaker.abandonProbe(call, now: now) }
    }

    /// A call that was set aside for went along with another.
    mutating func giveBackRequest(now: Int64) {
        self[.requests]?.bucket.settle(taken: 1, used: 0, now: now)
    }

    /// What a call really used takes the place of its estimate; nil: there was none.
    mutating func settle(_ estimate: CallEstimate?, used: Usage?, now: Int64) {
        // Of a call whose use is not known, the estimate stands.
        guard let used else { return }
        let real = CallEstimate(inputTokens: used.inputTokens, outputTokens: used.outputTokens)
        for rate in [Rate.tokens, .inputTokens, .outputTokens] {
            let taken = estimate.map { share(of: $0, rate) } ?? 0
            self[rate]?.bucket.settle(taken: taken, used: real[rate], now: now)
        }
    }

    /// What an estimate takes of a rate: a whole bucket at most, for it is a guess, and a debt would outlast a call whose use is
    /// never known.
    private func share(of estimate: CallEstimate, _ rate: Rate) -> Double {
        min(estimate[rate], self[rate]?.bucket.capacity ?? .infinity)
    }

    /// The provider took a call, whatever came of it.
    mutating func countTaken(now: Int64) {
        let number = now / 60_000
        if minute.number == number {
            minute.calls += 1
        } else {
            minute = (number, 1, minute.number == number - 1 ? minute.calls : 0)
        }
    }

    /// Calls that the provider took in the last 60 s, as if those of the minute before had come evenly.
    func taken(now: Int64) -> Double {
        let rest = 1 - Double(now % 60_000) / 60_000
        switch now / 60_000 - minute.number {
        case 0: return Double(minute.calls) + Double(minute.before) * rest
        case 1: return Double(minute.calls) * rest
        default: return 0
        }
    }

    /// Money is spent, or may have been.
    mutating func spend(_ cost: Double, on day: Int64) {
        if self.day != day {
            self.day = day
            spent = 0
        }
        spent += cost
    }
}
