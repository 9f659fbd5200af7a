/// What becomes of a job when an attempt ends.
package struct Settlement: Sendable, Equatable {
    package var state: JobState
    /// When it may run again (wall clock, ms), for `retryable` and `available`.
    package var scheduledAt: Int64?
    /// Whether the attempt counts. A provider that cannot be reached, a failed probe of an open breaker, a 429, an overload, a refused
    /// key, an empty account, a shutdown or a call that never started do not count, because none of them is the job's fault.
    package var countsAttempt: Bool

    package init(state: JobState, scheduledAt: Int64? = nil, countsAttempt: Bool = true) {
        self.state = state
        self.scheduledAt = scheduledAt
        self.countsAttempt = countsAttempt
    }

    /// The shortest wait after a failed connection, a rate limit, an overload, a refused key or an empty account, in ms.
    package static let shortestSnooze: Int64 = 1_000
    /// The longest such wait, in ms. After it the job is paced by its lane, which waits for as long as its target is blocked; the job goes
    /// on with the lane as soon as a fallback has capacity or a person says that the provider works again.
    package static let longestSnooze: Int64 = 10_000

    /// Decides the job's next state.
    /// - Parameters:
    ///   - isProbe: whether the call was to find out whether a provider that keeps failing works again, and cannot have been charged.
    ///   - attempt: the attempt's number, from 1 (it was counted when the job was claimed).
    ///   - backoff: how long to wait before the next attempt, in ms, jitter included.
    ///   - now: wall clock, ms.
    package static func decide(_ end: AttemptEnd, isProbe: Bool = false, attempt: Int, maxAttempts: Int, backoff: Int64, now: Int64)
        -> Settlement
    {
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
            case .unreachable, .rateLimited, .overloaded, .authentication, .quotaExhausted:
                let wait = min(max(retryAfter ?? backoff, shortestSnooze), longestSnooze)
                return Settlement(state: .retryable, scheduledAt: now + wait, countsAttempt: false)
            case .retryable where isProbe, .timedOut where isProbe:
                // The provider was known to fail. The job only lent its call.
                return Settlement(state: .retryable, scheduledAt: now + max(retryAfter ?? 0, backoff), countsAttempt: false)
            case .retryable, .timedOut, .invalidReply, .crashed:
                guard attempt < maxAttempts else { return Settlement(state: .discarded) }
                return Settlement(state: .retryable, scheduledAt: now + max(retryAfter ?? 0, backoff))
            }
        }
    }
}

/// How an attempt ended, reduced to what decides the job's next state.
package enum AttemptEnd: Sendable, Equatable {
    case answered
    /// The attempt failed; `retryAfter` (ms) is the wait the provider asked for.
    case failed(FailureClass, retryAfter: Int64? = nil)
    /// The worker hands the job back: it is stopping, or the call never began.
    case handedBack
}

/// Exponential backoff with full jitter.
///
/// The wait before retry n is drawn evenly from 0 to `base · 2ⁿ⁻¹`, capped ("full jitter", Marc Brooker, "Exponential Backoff And Jitter",
/// AWS Architecture Blog, 2015), and is never shorter than `floor`, so that a provider in trouble is not called again at once.
package struct Backoff: Sendable, Equatable {
    /// The upper bound of the first wait, in ms.
    package var base: Int64
    /// The longest wait, in ms.
    package var cap: Int64
    /// The shortest wait, in ms.
    package var floor: Int64

    /// By default, the first wait is 100 ms to 1 s and later ones grow to at most 10 min.
    package init(base: Int64 = 1_000, cap: Int64 = 600_000, floor: Int64 = 100) {
        self.base = base
        self.cap = cap
        self.floor = floor
    }

    /// The wait after failed attempt number `attempt` (from 1), in ms.
    package func delay(afterAttempt attempt: Int, using generator: inout some RandomNumberGenerator) -> Int64 {
        let doublings = min(max(attempt - 1, 0), 40)
        let (raw, overflow) = base.multipliedReportingOverflow(by: 1 << Int64(doublings))
        let ceiling = max(1, overflow ? cap : min(raw, cap))
        return Int64.random(in: min(floor, ceiling)...ceiling, using: &generator)
    }
}
