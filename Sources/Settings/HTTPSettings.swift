/// `http:` — the one HTTP client that all providers share.
public struct HTTPSettings: Equatable, Sendable {
    /// Most open connections to one host. Default 100, 1 to 10000.
    public var connectionPoolSize = 100
    /// How long opening a connection may take. Default 30 s, 100 ms to 10 min.
    public var connectTimeout: Duration = .seconds(30)
    /// How long a whole call may take. Default 10 min, 100 ms to 24 h.
    public var requestTimeout: Duration = .seconds(600)
    /// Retries of a connection that failed before any byte was sent; every other retry is the queue's. Default 3, 0 to 10.
    public var maxRetries = 3

    /// Every value at its default.
    public init() {}
}
