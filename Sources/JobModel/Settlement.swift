/// What becomes of a job when an attempt ends.
public struct Settlement: Sendable, Equatable {
    /// The job's next state.
    public var state: JobState
    /// When it may run again (wall clock, ms), for `retryable` and `available`.
    public var scheduledAt: Int64?
    /// Whether the attempt counts. A 429, an overload, a refused key, an empty account, a shutdown or a call that never started
    /// give it back: none of them is the job's fault.
    public var countsAttempt: Bool

    /// Makes a settlement.
    public init(state: JobState, scheduledAt: Int64? = nil, countsAttempt: Bool = true) {
        self.state = state
        self.scheduledAt = scheduledAt
        self.countsAttempt = countsAttempt
    }

    /// The shortest wait after a rate limit, an overload, a refused key or an empty account, in ms.
    public static let shortestSnooze: Int64 = 1_000
    /// The longest: behind it the job's lane waits as long as its target is left alone, and the job goes on with the lane as soon as
    /// a fallback has room, or a person says that the provider works.
    public static let longestSnooze: Int64 = 10_000

    /// Decides.
    ///
    /// - Parameters:
    ///   - end: how the attempt ended.
    ///   - attempt: the attempt's number, from 1 (it was counted when the job was claimed).
    ///   - maxAttempts: how many there may be.
    ///   - backoff: how long to wait before the next one, in ms; jitter included.
    ///   - now: wall clock, ms.
    public static func decide(_ end: AttemptEnd, attempt: Int, maxAttempts: Int, backoff: Int64, now: Int64) -> Settlement {
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
