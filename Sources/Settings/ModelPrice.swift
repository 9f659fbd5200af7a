/// `models.<provider/model>.price:` — US dollars per million tokens, each 0 to 1 million.
public struct ModelPrice: Equatable, Sendable {
    /// For tokens sent. Default 0 when only the other is given.
    public var inputPerMTok: Double
    /// For tokens received. Default 0 when only the other is given.
    public var outputPerMTok: Double

    /// Makes a price, in US dollars per million tokens.
    public init(inputPerMTok: Double, outputPerMTok: Double) {
        self.inputPerMTok = inputPerMTok
        self.outputPerMTok = outputPerMTok
    }
}
