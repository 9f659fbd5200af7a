/// `breaker:` — when a lane stops calling a provider that keeps failing.
public struct BreakerSettings: Equatable, Sendable {
    /// The share of failed calls within `window` that opens the breaker. Default 0.5, 0.01 to 1.
    public var failureRate = 0.5
    /// How far back calls count. Default 60 s, 1 s to 1 h.
    public var window: Duration = .seconds(60)
    /// Failures in a row that open the breaker. Default 5, 1 to 1000.
    public var consecutive = 5
    /// How long an open breaker waits before its one probe. Default 30 s, 100 ms to 24 h.
    public var openFor: Duration = .seconds(30)

    /// Every value at its default.
    public init() {}
}
