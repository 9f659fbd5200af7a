import AgentQueueModel

/// What all processes know of a provider or a target: a row of `resources`, held in memory during one transaction.
struct ProviderQuota: Equatable {
    /// No calls are made until the given time.
    struct Pause: Equatable {
        var until: Int64
        var failure: FailureClass
        var reason: String
    }

    /// Admits one call at a time until one succeeds that began after the token `after` was issued.
    struct Trial: Equatable {
        var after: Int64
        /// The number of calls under way that began after `after`.
        var running = 0
    }

    /// The latest failure.
    struct Fault: Equatable {
        var failure: FailureClass
        var message: String
        var at: Int64
    }

    /// `provider` or `provider/model`.
    let name: String
    /// The number of calls under way that have reservations.
    var running = 0
    /// Since when a claim has waited for a call to end here; nil if none waits.
    var waitingSince: Int64?
    var pause: Pause?
    /// How many times in a row a refused key, exhausted quota or failed connection has caused a pause.
    var pauses = 0
    /// How many times in a row a rate limit has caused a wait.
    var parks = 0
    var trial: Trial?
    /// Indexed by ``Rate``.
    private var rates: [4 of RateLimit?] = .init(repeating: nil)
    /// What refusals have taught; nil if there is nothing to know.
    var congestion: CongestionControl?
    /// The latest minute in which the provider accepted calls, how many it accepted then, and how many in the minute before.
    var minute: (number: Int64, calls: Int, before: Int) = (0, 0, 0)
    var breaker = CircuitBreaker()
    /// UTC days since 1970.
    var day: Int64 = 0
    /// US dollars spent on that day.
    var spent: Double = 0
    /// US dollars reserved for calls under way.
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
            && one.congestion == other.congestion && one.spent == other.spent && one.reserved == other.reserved && one.fault == other.fault
    }
}

/// What is limited per minute.
enum Rate: Int, CaseIterable {
    case requests, tokens, inputTokens, outputTokens
}

extension CallLimits {
    /// The configured limit of a rate.
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
    /// How much of a rate the call is expected to use.
    subscript(rate: Rate) -> Double {
        switch rate {
        case .requests: Double(requests)
        case .tokens: Double(inputTokens + outputTokens)
        case .inputTokens: Double(inputTokens)
        case .outputTokens: Double(outputTokens)
        }
    }
}

/// A rate limit of a provider or target, and its origin.
struct RateLimit: Equatable {
    /// Where a limit comes from.
    enum Origin: String {
        /// The configuration. It applies only to processes whose configuration has it.
        case configured
        /// The provider's response headers.
        case observed
        /// The provider's refusals.
        case inferred
    }

    var bucket: TokenBucket
    var origin: Origin

    init(_ bucket: TokenBucket, _ origin: Origin) {
        self.bucket = bucket
        self.origin = origin
    }

    /// Parses ``text``; nil if it is damaged.
    init?(_ text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 5, let capacity = Double(parts[0]), let level = Double(parts[1]), let updatedAt = Int64(parts[2]),
            let origin = Origin(rawValue: String(parts[4]))
        else { return nil }
        bucket = TokenBucket(capacity: capacity, level: level, updatedAt: updatedAt, renewsAtOnce: parts[3] == "1")
        self.origin = origin
    }

    /// The stored form.
    var text: String {
        "\(bucket.capacity) \(bucket.level) \(bucket.updatedAt) \(bucket.renewsAtOnce ? 1 : 0) \(origin.rawValue)"
    }
}

extension ProviderQuota {
    /// Reserves for a call that begins.
    /// - Parameter isProbe: whether an open breaker admitted the call as its probe. The parts of a divided call do not ask the breaker.
    mutating func reserve(_ call: Int64, _ estimate: CallEstimate, isProbe: Bool, now: Int64) {
        running += estimate.requests
        reserved += estimate.worstCost
        trial?.running += estimate.requests
        if isProbe { breaker.beginProbe(call) }
        if estimate.requests > 0 { congestion?.begin(call, now: now) }
        for rate in Rate.allCases {
            let share = share(of: estimate, rate)
            self[rate]?.bucket.take(share, now: now)
        }
    }

    /// Releases the reservation of a call that has ended in any way.
    /// - Returns: whether claims wait for this.
    mutating func release(_ call: Int64, _ estimate: CallEstimate) -> Bool {
        running = max(0, running - estimate.requests)
        reserved = max(0, reserved - estimate.worstCost)
        // Rounding can leave a tiny remainder; without reservations the sum must be exactly zero.
        if running == 0, reserved < 1e-9 { reserved = 0 }
        if let trial, call > trial.after { self.trial?.running = max(0, trial.running - estimate.requests) }
        defer { waitingSince = nil }
        return waitingSince != nil
    }

    /// Gives back what was reserved for a call that was not made.
    mutating func giveBack(_ call: Int64, _ estimate: CallEstimate, now: Int64) {
        for rate in Rate.allCases {
            let share = share(of: estimate, rate)
            self[rate]?.bucket.adjust(taken: share, used: 0, now: now)
        }
        if estimate.requests > 0 { breaker.abandonProbe(call, now: now) }
    }

    /// Gives back the request of a call that turned out to share another one.
    mutating func giveBackRequest(now: Int64) {
        self[.requests]?.bucket.adjust(taken: 1, used: 0, now: now)
    }

    /// Replaces a call's estimate by its actual use. The estimate is nil if there was no reservation.
    mutating func adjust(_ estimate: CallEstimate?, used: Usage?, now: Int64) {
        // If the use is not known, the estimate stands.
        guard let used else { return }
        let real = CallEstimate(inputTokens: used.inputTokens, outputTokens: used.outputTokens)
        for rate in [Rate.tokens, .inputTokens, .outputTokens] {
            let taken = estimate.map { share(of: $0, rate) } ?? 0
            self[rate]?.bucket.adjust(taken: taken, used: real[rate], now: now)
        }
    }

    /// Returns how much an estimate takes of a rate, a full bucket at most. The estimate is a guess, and a call whose use never becomes
    /// known would leave a lasting debt.
    private func share(of estimate: CallEstimate, _ rate: Rate) -> Double {
        min(estimate[rate], self[rate]?.bucket.capacity ?? .infinity)
    }

    /// Counts a call that the provider accepted, whatever its outcome.
    mutating func countTaken(now: Int64) {
        let number = now / 60_000
        if minute.number == number {
            minute.calls += 1
        } else {
            minute = (number, 1, minute.number == number - 1 ? minute.calls : 0)
        }
    }

    /// Returns how many calls the provider accepted in the last 60 s, as if those of the minute before had come evenly.
    func taken(now: Int64) -> Double {
        let rest = 1 - Double(now % 60_000) / 60_000
        switch now / 60_000 - minute.number {
        case 0: return Double(minute.calls) + Double(minute.before) * rest
        case 1: return Double(minute.calls) * rest
        default: return 0
        }
    }

    /// Corrects times that lie too far ahead. A row whose time of writing is in the future was written before the clock was set back, so all
    /// its times are moved back by as much. The day of the spend stays with its charges, which
    /// ``MaintenanceStore/mendTimes()`` moves.
    /// - Parameter written: when the row was written, by the clock of that time.
    mutating func believeTimes(written: Int64, now: Int64) {
        let step = written - now
        guard step > 0 else { return }
        waitingSince? -= step
        pause?.until -= step
        fault?.at -= step
        for rate in Rate.allCases { self[rate]?.bucket.clockWentBack(by: step) }
        congestion?.clockWentBack(by: step)
        breaker.clockWentBack(by: step)
        minute.number = min(minute.number, now / 60_000)
    }

    /// Counts money that was or may have been spent.
    mutating func spend(_ cost: Double, on day: Int64) {
        if self.day != day {
            self.day = day
            spent = 0
        }
        spent += cost
    }
}
