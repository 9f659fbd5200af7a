import JobModel
import Resilience

extension Resource {
    /// A call begins that something is set aside for.
    /// - Parameter isProbe: whether an open breaker let it through to find out. A part of a call that was divided asks no breaker.
    mutating func hold(_ call: Int64, _ estimate: CallEstimate, isProbe: Bool, now: Int64) {
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
