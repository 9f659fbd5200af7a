/// Learns from refusals alone how many calls a minute a provider takes, as TCP learns what a network carries: it backs off once for each
/// round of refusals, returns quickly to the rate that was refused last, and goes beyond it with care.
///
/// A single refusal teaches nothing, and neither do refusals that are as frequent at a lower rate: those have another cause. Calls are
/// known by their numbers; a call with a number of at most ``backoffAfter`` began before the latest back-off and says nothing about the
/// time since.
///
/// A state machine without a clock: times are wall clock, ms, and passed in. Rates are calls per minute. The curve is CUBIC's (RFC 9438).
package struct CongestionControl: Sendable, Equatable {
    /// What is being done about refusals.
    package enum Phase: String, Sendable {
        /// Nothing.
        case idle
        /// A call was refused. Calls are counted, not limited: many refusals together are a limit, single ones are not.
        case watching
        /// A limit was met, and nobody knows its rate yet: the rate doubles every few seconds until it is refused.
        case slowStart = "slow_start"
        /// A few calls in a hundred were refused. A lower rate shows whether the rate is the reason.
        case testing
        /// The rate of the limit is known: the rate rises towards it, stays there, and then goes beyond it.
        case avoidance
    }

    /// Calls and refusals since some moment.
    package struct Tally: Sendable, Equatable {
        /// Calls that began.
        package var calls = 0
        /// Calls that were refused.
        package var refusals = 0

        package init(calls: Int = 0, refusals: Int = 0) {
            self.calls = calls
            self.refusals = refusals
        }

        /// The share of calls that were refused.
        var share: Double { Double(refusals) / Double(max(1, calls)) }
    }

    package internal(set) var phase = Phase.idle
    /// The rate at ``since``: in slow start it grows from there, in a test it stays.
    var base = 1.0
    /// When the phase's rate began to apply.
    var since: Int64 = 0
    /// The highest rate that is believed to be accepted.
    var ceiling = 1.0
    /// The share of refused calls before the test.
    var shareBefore = 1.0
    /// The greatest number of a call that began before the latest back-off.
    package internal(set) var backoffAfter: Int64 = 0
    /// When the measurement of the accepted rate began.
    var measuredSince: Int64 = 0
    /// The calls since then that were not refused.
    var accepted = 0
    /// Whether calls stopped for a while since then without being refused: there was nothing to do, or every slot was taken. What was
    /// accepted may be less than what can be.
    var hasPaused = false
    /// The latest few calls.
    var recent = Tally()
    /// The calls since the limit was last changed.
    var total = Tally()
    /// Refusals since the last accepted call.
    var row = 0
    /// The number of the first call after the latest wait; 0 if none has begun.
    var first: Int64 = 0
    /// How many waits in a row were followed by a refusal of their first call.
    var again = 0
    /// How many waits in a row no accepted call has ended.
    var waits = 0
    /// When calls may begin again.
    var waitsUntil: Int64 = 0
    /// When a call began last.
    var lastCall: Int64 = 0
    /// When a call was refused last.
    var lastRefusal: Int64 = 0
    /// Until when a few refusals in a hundred are known to have nothing to do with the rate.
    var noiseUntil: Int64 = 0

    package init() {}

    // MARK: Constants

    /// How long the rate takes to return to the ceiling, in ms.
    private static let plateau = 75_000.0
    /// The share of the ceiling that is given up by a back-off.
    private static let reduction = 0.05
    /// In slow start, the rate doubles in this time, in ms, or in four calls' time if that is longer.
    private static let doubling = 2_000.0
    /// No rate is higher: nobody makes more calls.
    private static let highest = 1e6
    /// After how long without a refusal what was learned is forgotten, in ms: nothing more than single refusals, and a limit.
    private static let memory: (watching: Int64, limit: Int64) = (60_000, 600_000)
    /// How long a test without a result is trusted, in ms.
    private static let noise: Int64 = 600_000
    /// As many refusals in a row are a limit.
    private static let refusalsInRow = 5
    /// The share of refusals that is never noise, and the one that is worth a test.
    private static let shares = (limit: 1.0 / 3, test: 0.025)
    /// Waits without a time from the provider, in ms, each twice the one before. With one, they grow from ``shortestWait``.
    private static let parkWaits: (first: Int64, longest: Int64) = (1_000, 60_000)
    /// The shortest wait, in ms: a time given in thousandths is often too short by the time that the call needs on its way.
    private static let shortestWait: Int64 = 100

    // MARK: What applies

    /// The calls per minute that may begin; nil if no limit is known.
    package func rate(at now: Int64) -> Double? {
        let time = Double(max(0, now - since))
        switch phase {
        case .idle, .watching: return nil
        case .testing: return base
        case .slowStart: return min(Self.highest, base * Self.power(of: time / max(Self.doubling, 240_000 / base)))
        case .avoidance:
            let x = time / Self.plateau
            if x <= 1 { return ceiling * (1 - Self.reduction * (1 - x) * (1 - x) * (1 - x)) }
            if x <= 1.5 { return ceiling * (1 + 8 * Self.reduction * (x - 1) * (x - 1) * (x - 1)) }
            return min(Self.highest, ceiling * (1 + Self.reduction) * Self.power(of: 2 * (x - 1.5)))
        }
    }

    /// Whether calls must be counted when they begin.
    package var countsCalls: Bool { phase != .idle }

    /// Whether everything learned is so old that it is forgotten.
    package func isOver(at now: Int64) -> Bool {
        switch phase {
        case .idle: now >= noiseUntil
        case .watching: now - lastRefusal > Self.memory.watching && now >= noiseUntil
        case .slowStart, .testing, .avoidance: now - lastRefusal > Self.memory.limit
        }
    }

    // MARK: Calls

    /// A call begins.
    package mutating func begin(_ call: Int64, now: Int64) {
        guard phase != .idle else { return }
        if let rate = rate(at: now), now - max(lastCall, waitsUntil) > Int64(max(3_000, 240_000 / rate)) {
            hasPaused = true
        }
        lastCall = now
        recent.calls += 1
        total.calls += 1
        accepted += 1
        if first == 0 { first = call }
    }

    /// The provider accepted a call.
    package mutating func accept(_ call: Int64, now: Int64) {
        row = 0
        if call > backoffAfter {
            waits = 0
        } else if phase == .watching {
            recent.calls += 1
            total.calls += 1
        }
        conclude(now)
    }

    /// The provider refused a call.
    /// - Parameters:
    ///   - retryAfter: the wait that the provider asks for, in ms; nil if it does not say.
    ///   - latest: the greatest number of a call so far.
    ///   - taken: about how many calls the provider has accepted in the last minute.
    /// - Returns: for how long no call should begin, in ms; nil if the refusal concerns its call alone.
    package mutating func refuse(_ call: Int64, retryAfter: Int64?, latest: Int64, taken: Double, now: Int64) -> Int64? {
        lastRefusal = now
        // "At once" tells nothing about when a call is taken.
        let retryAfter = retryAfter.flatMap { $0 > 0 ? $0 : nil }
        let isNews = call > backoffAfter
        switch phase {
        case .idle:
            watch(latest, now)
            return nil
        case .watching:
            if isNews {
                accepted -= 1
            } else {
                recent.calls += 1
                total.calls += 1
            }
            countRefusal()
            if row >= Self.refusalsInRow || (recent.refusals >= 8 && recent.share >= Self.shares.limit) {
                return meetLimit(retryAfter, latest, taken, now)
            }
            if isWorthATest(now, atLeast: 5), now > noiseUntil { test(latest, now) } else { conclude(now) }
            return nil
        case .testing:
            guard isNews else { return nil }
            accepted -= 1
            countRefusal()
            if recent.refusals >= 4, recent.share >= 0.25 { return backOff(retryAfter, latest, now) }
            conclude(now)
            return nil
        case .slowStart, .avoidance:
            guard isNews else { return nil }
            accepted -= 1
            countRefusal()
            return reconsider(call, retryAfter, latest, now)
        }
    }

    /// Moves all times to a clock that has gone back: rates and waits stay what they were.
    package mutating func clockWentBack(by step: Int64) {
        since -= step
        measuredSince -= step
        waitsUntil -= step
        lastCall -= step
        lastRefusal -= step
        noiseUntil -= step
    }

    // MARK: Conclusions

    private mutating func reconsider(_ call: Int64, _ retryAfter: Int64?, _ latest: Int64, _ now: Int64) -> Int64? {
        if call == first {
            // The wait was too short. Only where that happens again and again, the rate is too high as well.
            again += 1
            if retryAfter == nil || again < 3 || accepted < 10 {
                if phase == .slowStart { base = max(1, min(base, rate(at: now) ?? base)) }
                let wait = park(retryAfter, latest, now)
                if phase == .slowStart { since = waitsUntil }
                return wait
            }
        }
        (again, waits) = (0, 0)
        if phase == .slowStart || Double(now - since) >= 0.75 * Self.plateau { return backOff(retryAfter, latest, now) }
        if recent.refusals >= 3, recent.share >= 0.25 { return backOff(retryAfter, latest, now) }
        // Sooner than a limit of this rate would refuse.
        if isWorthATest(now, atLeast: 3) {
            if now < noiseUntil { phase = .idle } else { test(latest, now) }
        }
        return nil
    }

    private func isWorthATest(_ now: Int64, atLeast refusals: Int) -> Bool {
        total.refusals >= refusals && total.calls >= 40 && total.share >= Self.shares.test && now - measuredSince > 5_000
    }

    private mutating func watch(_ latest: Int64, _ now: Int64) {
        phase = .watching
        (measuredSince, accepted, backoffAfter) = (now, 0, latest)
        recent = Tally(calls: 1, refusals: 1)
        total = recent
        row = 1
    }

    private mutating func countRefusal() {
        row += 1
        recent.refusals += 1
        total.refusals += 1
    }

    /// Ends a window of recent calls, or a test.
    private mutating func conclude(_ now: Int64) {
        switch phase {
        case .watching:
            if recent.calls >= 24 { recent = Tally() }
            if total.calls >= 240 { total = Tally(calls: total.calls / 2, refusals: total.refusals / 2) }
        case .testing:
            guard Double(recent.calls) >= max(40, 3 / shareBefore) else { return }
            if recent.share < shareBefore / 3 {
                (phase, since) = (.avoidance, now)
                recent = Tally()
                total = Tally()
            } else {
                // As many are refused at a lower rate: it is not the rate.
                (phase, noiseUntil) = (.idle, now + Self.noise)
            }
        case .idle, .slowStart, .avoidance: break
        }
    }

    private mutating func test(_ latest: Int64, _ now: Int64) {
        ceiling = max(1, Double(accepted) * 60_000 / Double(now - measuredSince))
        shareBefore = total.share
        phase = .testing
        (base, since, backoffAfter) = (0.85 * ceiling, now, latest)
        recent = Tally()
    }

    private mutating func meetLimit(_ retryAfter: Int64?, _ latest: Int64, _ taken: Double, _ now: Int64) -> Int64 {
        let wait = park(retryAfter, latest, now)
        // A limit that fills evenly accepts a call after the wait, so it accepts at least one per wait.
        let least = 60_000 / Double(wait)
        phase = .slowStart
        (base, since) = (max(1, (1 - Self.reduction) * max(taken, least)), waitsUntil)
        (measuredSince, accepted, hasPaused) = (waitsUntil, 0, false)
        recent = Tally()
        total = Tally()
        return wait
    }

    private mutating func backOff(_ retryAfter: Int64?, _ latest: Int64, _ now: Int64) -> Int64 {
        let rate = rate(at: now) ?? base
        let wait = park(retryAfter, latest, now)
        let time = waitsUntil - measuredSince
        recent = Tally()
        total = Tally()
        let isMeasured = accepted >= 10 && time >= 5_000
        guard isMeasured || (retryAfter != nil && accepted >= 4 && time >= 20_000) else {
            if phase == .slowStart {
                if accepted >= 10 { base = max(1, 0.7 * base) }
            } else {
                phase = .avoidance
                ceiling = max(1, 0.9 * ceiling)
            }
            since = waitsUntil
            return wait
        }
        // From one refusal to the next, a limit that fills evenly has accepted what it can. Windows that begin anew accept a little more
        // than that, up to the rate that was refused.
        let measured = max(1, Double(accepted) * 60_000 / Double(time))
        let least = hasPaused ? (phase == .avoidance ? 0.9 * ceiling : 0.5 * base) : 0
        ceiling = max(measured, 0.98 * min(rate, 1.08 * measured), least)
        (phase, since) = (.avoidance, waitsUntil)
        (measuredSince, accepted, hasPaused) = (waitsUntil, 0, false)
        return wait
    }

    private mutating func park(_ retryAfter: Int64?, _ latest: Int64, _ now: Int64) -> Int64 {
        // A time from the provider is believed as long as a call is accepted after it; otherwise each wait is at least twice as long.
        let shortest = retryAfter == nil ? Self.parkWaits.first : waits == 0 ? 0 : Self.shortestWait
        let backoff = min(Self.parkWaits.longest, shortest << Int64(min(max(waits, 0), 10)))
        let wait = max(retryAfter ?? 0, backoff, Self.shortestWait)
        waits += 1
        waitsUntil = max(waitsUntil, now + wait)
        (backoffAfter, first) = (latest, 0)
        return wait
    }

    /// Two to the power of a number from zero up, without a mathematics library: whole doublings, and a cubic that is right to a
    /// thousandth between them.
    private static func power(of exponent: Double) -> Double {
        let whole = min(exponent.rounded(.down), 60)
        let x = min(exponent - whole, 1)
        return Double(UInt64(1) << UInt64(whole)) * (1 + x * (0.695_3 + x * (0.226_3 + x * 0.078_4)))
    }
}
