/// The most that a provider or a target is asked, by all processes together. Nil is no limit.
public struct CallLimits: Sendable, Equatable {
    /// Calls begun in a minute.
    public var requestsPerMinute: Int?
    /// Tokens in a minute, in and out together.
    public var tokensPerMinute: Int?
    /// Tokens in a minute, in.
    public var inputTokensPerMinute: Int?
    /// Tokens in a minute, out.
    public var outputTokensPerMinute: Int?
    /// Calls under way at once.
    public var concurrency: Int?
    /// US dollars in a day (UTC); 0 lets only calls through that cost nothing.
    public var usdPerDay: Double?

    /// Makes limits; none, unless told.
    public init(
        requestsPerMinute: Int? = nil, tokensPerMinute: Int? = nil, inputTokensPerMinute: Int? = nil, outputTokensPerMinute: Int? = nil,
        concurrency: Int? = nil, usdPerDay: Double? = nil
    ) {
        self.requestsPerMinute = requestsPerMinute
        self.tokensPerMinute = tokensPerMinute
        self.inputTokensPerMinute = inputTokensPerMinute
        self.outputTokensPerMinute = outputTokensPerMinute
        self.concurrency = concurrency
        self.usdPerDay = usdPerDay
    }
}
