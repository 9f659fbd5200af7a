/// `models.<provider/model>.price:` — US dollars per million tokens, each 0 to 1 million.
public struct ModelPrice: Equatable, Sendable {
    /// For tokens sent. Default 0 when only another is given.
    public var inputPerMTok: Double
    /// For tokens received. Default 0 when only another is given.
    public var outputPerMTok: Double
    /// For tokens sent that the provider's prompt cache held; nil is the provider kind's usual share of the input price.
    public var cacheReadPerMTok: Double?
    /// For tokens sent that go into the provider's prompt cache; nil is the provider kind's usual share of the input price.
    public var cacheWritePerMTok: Double?

    /// Makes a price, in US dollars per million tokens.
    public init(inputPerMTok: Double, outputPerMTok: Double, cacheReadPerMTok: Double? = nil, cacheWritePerMTok: Double? = nil) {
        self.inputPerMTok = inputPerMTok
        self.outputPerMTok = outputPerMTok
        self.cacheReadPerMTok = cacheReadPerMTok
        self.cacheWritePerMTok = cacheWritePerMTok
    }
}
