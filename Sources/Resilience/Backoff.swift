/// Exponential backoff with full jitter.
///
/// The wait before retry n is drawn evenly from 0 to `base · 2ⁿ⁻¹`, capped ("full jitter", Marc Brooker, "Exponential Backoff And
/// Jitter", AWS Architecture Blog, 2015), and never shorter than `floor`: a provider in trouble is not hit again at once.
public struct Backoff: Sendable, Equatable {
    /// The first wait at its longest, in ms.
    public var base: Int64
    /// The longest, in ms.
    public var cap: Int64
    /// The shortest, in ms.
    public var floor: Int64

    /// Makes a backoff; by default from 100 ms to 1 s at first, and up to 10 min.
    public init(base: Int64 = 1_000, cap: Int64 = 600_000, floor: Int64 = 100) {
        self.base = base
        self.cap = cap
        self.floor = floor
    }

    /// The wait after the failed attempt `attempt` (from 1), in ms.
    public func delay(afterAttempt attempt: Int, using generator: inout some RandomNumberGenerator) -> Int64 {
        let doublings = min(max(attempt - 1, 0), 40)
        let (raw, overflow) = base.multipliedReportingOverflow(by: 1 << Int64(doublings))
        let ceiling = max(1, overflow ? cap : min(raw, cap))
        return Int64.random(in: min(floor, ceiling)...ceiling, using: &generator)
    }
}
