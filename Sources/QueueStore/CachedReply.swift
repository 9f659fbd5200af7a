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
    /// When it was written (wall clock, ms): its version, since an answer that is replaced is written anew.
    public var createdAt: Int64
    /// From when it no longer answers (wall clock, ms).
    public var expiresAt: Int64

    /// Makes one.
    public init(
        reply: String, target: String, inputTokens: Int, outputTokens: Int, cost: Double, createdAt: Int64, expiresAt: Int64
    ) {
        self.reply = reply
        self.target = target
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.cost = cost
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}
