/// `models.<provider/model>:` — what holds for one target.
public struct ModelSettings: Equatable, Sendable {
    /// Targets to try, in this order, when this one fails by its own fault, is paused, or keeps a job waiting longer than
    /// `fallbackAfter`. Default none: no prompt goes to another vendor unless its owner says so.
    public var fallbacks: [String] = []
    /// The longest wait for this target's rate limits before the first fallback is asked instead; nil waits. 0 to 24 h.
    public var fallbackAfter: Duration?
    /// Whether jobs that do not say go through the provider's batch API, at a lower price and within a day. Default false.
    public var batchAPI = false
    /// How long a reply answers for its request where its job does not say; nil is `cache.ttl`. 1 s to 3650 days.
    public var cacheTTL: Duration?
    /// Whether the reply to the nearest earlier prompt may answer; nil is `cache.semantic.enabled`.
    public var semanticCache: Bool?
    /// What is put before a text that looks for others; nil is what the model's name suggests (``Settings/queryPrefix(of:)``). At most
    /// 1 KiB.
    public var queryPrefix: String?
    /// What is put before a text that is remembered; nil is what the model's name suggests (``Settings/passagePrefix(of:)``). At most
    /// 1 KiB.
    public var passagePrefix: String?
    /// What tokens cost; nil when unknown.
    public var price: ModelPrice?
    /// The most tokens of an answer where a job says nothing: sent with the call, and what a money limit reserves for. Nil sends none
    /// where the provider's API allows that, and reserves for 4,096. 1 to 10 million.
    public var maxOutputTokens: Int?
    /// What the provider allows for this model alone.
    public var limits = CallLimitSettings()

    /// Every value at its default: no fallbacks, no batch API, price unknown.
    public init() {}
}
