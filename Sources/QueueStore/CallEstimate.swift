/// What a call is expected to use before it is made.
public struct CallEstimate: Sendable, Equatable {
    /// Tokens in, for the token limits.
    public var inputTokens: Int
    /// Tokens out, for the token limits.
    public var outputTokens: Int
    /// 1; 0 for a job that shares another's call.
    public var requests = 1
    /// What it may cost at worst, in US dollars, for the limits on money.
    public var worstCost: Double

    /// Makes an estimate; of a call that uses and costs nothing, unless told.
    public init(inputTokens: Int = 0, outputTokens: Int = 0, worstCost: Double = 0) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.worstCost = worstCost
    }

    /// Four bytes of the request to a token in, 1,024 tokens out, and no price.
    public init(body: String) { self.init(inputTokens: body.utf8.count / 4, outputTokens: 1_024) }
}
