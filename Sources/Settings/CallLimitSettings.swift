/// `limits:` of a provider or of one model — shared by all processes through the database. Nil is no limit.
public struct CallLimitSettings: Equatable, Sendable {
    /// Requests a minute, 1 to 10 million.
    public var rpm: Int?
    /// Tokens a minute, in and out together, 1 to 1 billion.
    public var tpm: Int?
    /// Tokens sent a minute, 1 to 1 billion.
    public var itpm: Int?
    /// Tokens received a minute, 1 to 1 billion.
    public var otpm: Int?
    /// Calls in flight, 1 to 1024.
    public var concurrency: Int?
    /// US dollars a day (UTC), 0 to 1 million; 0 allows only calls that cost nothing.
    public var usdPerDay: Double?

    /// No limits.
    public init() {}

    /// Whether nothing is limited.
    public var isEmpty: Bool { self == CallLimitSettings() }
}
