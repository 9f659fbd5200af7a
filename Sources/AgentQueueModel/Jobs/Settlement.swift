/// What becomes of a job when an attempt ends.
package struct Settlement: Sendable, Equatable {
    /// The job's next state.
    package var state: JobState
    /// When it may run again (wall clock, ms), for `retryable` and `available`.
    package var scheduledAt: Int64?
    /// Whether the attempt counts. A 429, an overload, a refused key, an empty account, a shutdown or a call that never started
    /// give it back: none of them is the job's fault.
    package var countsAttempt: Bool

    /// Makes a settlement.
    package init(state: JobState, scheduledAt: Int64? = nil, countsAttempt: Bool = true) {
        self.state = state
        self.scheduledAt = scheduledAt
        self.countsAttempt = countsAttempt
    }

    /// The shortest wait after a rate limit, an overload, a refused key or an empty account, in ms.
    package static let shortestSnooze: Int64 = 1_000
    /// The longest: behind it the job's lane waits as long as its target is left alone, and the job goes on with the lane as soon as
    /// a fallback has room, or a person says that the provider works.
    package static let longestSnooze: Int64 = 10_000

    /// Decides.
    ///
    /// - Parameters:
    ///   - end: how the attempt ended.
    ///   - attempt: the attempt's number, from 1 (it was counted when the job was claimed).
    ///   - maxAttempts: how many there may be.
    ///   - backoff: how long to wait before the next one, in ms; jitter included.
    ///   - now: wall clock, ms.
    package static func decide(_ end: AttemptEnd, attempt: Int, maxAttempts: Int, backoff: Int64, now: Int64) -> Settlement {
        switch end {
        case .answered:
            return Settlement(state: .completed)
        case .handedBack:
            return Settlement(state: .available, scheduledAt: now, countsAttempt: false)
        case .failed(let failure, let retryAfter):
            switch failure {
            case .permanent, .refused, .expired:
                return Settlement(state: .discarded)
            case .cancelled, .dependency:
                return Settlement(state: .cancelled)
            case .shutdown:
                return Settlement(state: .available, scheduledAt: now, countsAttempt: false)
            case .rateLimited, .overloaded, .authentication, .quotaExhausted:
                let wait = min(max(retryAfter ?? backoff, shortestSnooze), longestSnooze)
                return Settlement(state: .retryable, scheduledAt: now + wait, countsAttempt: false)
            case .retryable, .timedOut, .invalidReply, .crashed:
                guard attempt < maxAttempts else { return Settlement(state: .discarded) }
                return Settlement(state: .retryable, scheduledAt: now + max(retryAfter ?? 0, backoff))
            }
        }
    }
}

/// How an attempt ended, reduced to what decides the job's next state.
package enum AttemptEnd: Sendable, Equatable {
    /// With an answer.
    case answered
    /// With a failure; `retryAfter` (milliseconds) is the provider's own word on when to try again.
    case failed(FailureClass, retryAfter: Int64? = nil)
    /// The worker hands the job back: it is stopping, or never began.
    case handedBack
}

/// Exponential backoff with full jitter.
///
/// The wait before retry n is drawn evenly from 0 to `base · 2ⁿ⁻¹`, capped ("full jitter", Marc Brooker, "Exponential Backoff And
/// Jitter", AWS Architecture Blog, 2015), and never shorter than `floor`: a provider in trouble is not hit again at once.
package struct Backoff: Sendable, Equatable {
    /// The first wait at its longest, in ms.
    package var base: Int64
    /// The longest, in ms.
    package var cap: Int64
    /// The shortest, in ms.
    package var floor: Int64

    /// Makes a backoff; by default from 100 ms to 1 s at first, and up to 10 min.
    package init(base: Int64 = 1_000, cap: Int64 = 600_000, floor: Int64 = 100) {
        self.base = base
        self.cap = cap
        self.floor = floor
    }

    /// The wait after the failed attempt `attempt` (from 1), in ms.
    package func delay(afterAttempt attempt: Int, using generator: inout some RandomNumberGenerator) -> Int64 {
        let doublings = min(max(attempt - 1, 0), 40)
        let (raw, overflow) = base.multipliedReportingOverflow(by: 1 << Int64(doublings))
        let ceiling = max(1, overflow ? cap : min(raw, cap))
        return Int64.random(in: min(floor, ceiling)...ceiling, using: &generator)
    }
}
