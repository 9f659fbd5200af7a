import JobModel

/// Why a call brought no answer: classed once, at the provider.
public struct ModelFailure: Error, Sendable, Equatable {
    /// What kind of failure, which decides what happens next.
    public var failure: FailureClass
    /// One sentence. Never holds a prompt or a key.
    public var message: String
    /// The provider's own word on when to try again, in ms from now.
    public var retryAfter: Int64?
    /// The provider's id for the call.
    public var requestID: String?
    /// Whom the failure is about.
    public var scope: FailureScope
    /// What the call cost although it failed: tokens that the provider counted.
    public var usage: Usage
    /// What the call cost in US dollars, where the provider says it; nil where it is to be worked out from `usage`.
    public var cost: Double?
    /// How many requests the provider charged for; 0 where it certainly charged for none, or the request shared the call of another,
    /// which counts it.
    public var calls: Int
    /// Whether the provider may have charged for an answer that never arrived: the connection broke, or the time ran out,
    /// after the request had begun to leave.
    public var isMaybePaid: Bool
    /// Whether anything was sent: a request refused here says nothing about its provider.
    public var wasSent = true
    /// What had arrived of the answer; nil where nothing had.
    public var partialText: String?
    /// What the answer says about rate limits.
    public var limits: ObservedLimits?

    /// Makes a failure.
    public init(
        _ failure: FailureClass, _ message: String, retryAfter: Int64? = nil, requestID: String? = nil, scope: FailureScope = .target,
        usage: Usage = Usage(), cost: Double? = nil, calls: Int = 0, isMaybePaid: Bool = false, partialText: String? = nil,
        limits: ObservedLimits? = nil
    ) {
        self.failure = failure
        self.message = message
        self.retryAfter = retryAfter
        self.requestID = requestID
        self.scope = scope
        self.usage = usage
        self.cost = cost
        self.calls = calls
        self.isMaybePaid = isMaybePaid
        self.partialText = partialText
        self.limits = limits
    }

    /// A request that cannot be sent to its provider as it is. Nothing was.
    public static func unsent(_ message: String) -> ModelFailure {
        var failure = ModelFailure(.permanent, message)
        failure.wasSent = false
        return failure
    }
}
