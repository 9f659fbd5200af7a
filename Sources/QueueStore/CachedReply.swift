/// An answer that the cache holds.
public struct CachedReply: Sendable, Equatable {
    /// The reply as stored (`ModelReply.json`).
    public var reply: String
    /// What answered.
    public var target: String
    public var inputTokens: Int
    public var outputTokens: Int
    /// What it cost when it was paid for, in US dollars.
    public var cost: Double
}
