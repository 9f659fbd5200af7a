/// What one batch of a provider may hold.
public struct BatchCapacity: Sendable, Equatable {
    /// Requests; of embeddings, their inputs.
    public var items: Int
    /// Bytes of the requests together, as sent.
    public var bytes: Int
    /// What an answer costs, as a share of the usual price.
    public var priceShare: Double

    /// Makes one; at half the price, unless told.
    public init(items: Int, bytes: Int, priceShare: Double = 0.5) {
        self.items = items
        self.bytes = bytes
        self.priceShare = priceShare
    }
}
