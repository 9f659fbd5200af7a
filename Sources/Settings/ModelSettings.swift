/// `models.<provider/model>:` — what holds for one target.
public struct ModelSettings: Equatable, Sendable {
    /// Targets to try, in this order, when this one fails or takes longer than `fallbackAfter`. Default none.
    public var fallbacks: [String] = []
    /// How long a call may go unanswered before the first fallback is tried; nil waits for a failure. 0 to 24 h.
    public var fallbackAfter: Duration?
    /// Whether jobs may go through the provider's cheaper batch API. Default false.
    public var batchAPI = false
    /// What tokens cost; nil when unknown.
    public var price: ModelPrice?

    /// Every value at its default: no fallbacks, no batch API, price unknown.
    public init() {}
}
