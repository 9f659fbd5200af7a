import JobModel

/// What a call was, for those who count calls: the limits, the breaker and the money.
public struct CallReport: Sendable, Equatable {
    /// What was called.
    public var target: Target
    /// The tokens that the provider counted.
    public var usage: Usage
    /// What it cost, in US dollars.
    public var cost: Double
    /// How many requests the provider charged for; 0 where it certainly charged for none.
    public var calls: Int
    /// How it failed; nil if it brought an answer.
    public var failure: FailureClass?
    /// The provider's own word on when to try again, in ms from now.
    public var retryAfter: Int64?
    /// Whom the failure is about.
    public var scope: FailureScope
    /// What the answer says about rate limits.
    public var limits: ObservedLimits?
    /// Whether the provider may have charged for an answer that never arrived.
    public var isMaybePaid: Bool
    /// What it may have cost then, in US dollars.
    public var maybeCost: Double
    /// What had arrived of the answer.
    public var partialText: String?
    /// Whether anything was sent to the provider.
    public var wasSent: Bool
    /// Whether the job shared another's call, whose report tells of the provider: this one tells what the job used of it.
    public var isCompanion = false

    /// Makes a report; of one answer that cost nothing, unless told.
    public init(
        target: Target, usage: Usage = Usage(), cost: Double = 0, calls: Int = 1, failure: FailureClass? = nil, retryAfter: Int64? = nil,
        scope: FailureScope = .target, limits: ObservedLimits? = nil, isMaybePaid: Bool = false, maybeCost: Double = 0,
        partialText: String? = nil, wasSent: Bool = true
    ) {
        self.target = target
        self.usage = usage
        self.cost = cost
        self.calls = calls
        self.failure = failure
        self.retryAfter = retryAfter
        self.scope = scope
        self.limits = limits
        self.isMaybePaid = isMaybePaid
        self.maybeCost = maybeCost
        self.partialText = partialText
        self.wasSent = wasSent
    }

    /// Whether no request reached the provider, so that what was set aside for it is given back.
    var neverBegan: Bool {
        calls == 0 && cost == 0 && !isMaybePaid && (!wasSent || failure == .shutdown || failure == .cancelled)
    }
}
