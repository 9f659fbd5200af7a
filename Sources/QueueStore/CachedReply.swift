/// An answer that the cache holds.
public struct CachedReply: Sendable, Equatable {
    /// The reply as stored (`ModelReply.json`).
    public var reply: String
    /// What answered.
    public var target: String
    /// Tokens read when it was paid for.
    public var inputTokens: Int
    /// Tokens written when it was paid for.
    public var outputTokens: Int
    /// What it cost when it was paid for, in US dollars.
    public var cost: Double
}
