/// Exponential backoff with jitter.
///
/// The wait before retry n is drawn evenly from the upper half of `base · 2ⁿ⁻¹`, capped ("equal jitter", Marc Brooker,
/// "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): spread enough to part a herd, and never so short
/// that a provider in trouble is hit again at once.
public struct Backoff: Sendable, Equatable {
    /// The first wait, in ms.
    public var base: Int64
    /// The longest, in ms.
    public var cap: Int64

    /// Makes a backoff; by default from 1 s up to 10 min.
    public init(base: Int64 = 1_000, cap: Int64 = 600_000) {
        self.base = base
        self.cap = cap
    }

    /// The wait after the failed attempt `attempt` (from 1), in ms.
    public func delay(afterAttempt attempt: Int, using generator: inout some RandomNumberGenerator) -> Int64 {
        let doublings = min(max(attempt - 1, 0), 40)
        let (raw, overflow) = base.multipliedReportingOverflow(by: 1 << Int64(doublings))
        let ceiling = max(1, overflow ? cap : min(raw, cap))
        return Int64.random(in: (ceiling + 1) / 2...ceiling, using: &generator)
    }
}
