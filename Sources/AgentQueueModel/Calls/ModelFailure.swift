/// Why a call brought no answer: classed once, at the provider.
public struct ModelFailure: Error, Sendable, Equatable {
    /// What kind of failure, which decides what happens next.
    public var failure: FailureClass
    /// One sentence. Never holds a prompt or a key.
    public var message: String
    /// The provider's own word on when to try again, in ms from now.
    package var retryAfter: Int64?
    /// The provider's id for the call.
    package var requestID: String?
    /// Whom the failure is about.
    package var scope: FailureScope
    /// What the call cost although it failed: tokens that the provider counted.
    public var usage: Usage
    /// What the call cost in US dollars, where the provider says it; nil where it is to be worked out from `usage`.
    public var cost: Double?
    /// How many requests the provider charged for; 0 where it certainly charged for none, or the request shared the call of another,
    /// which counts it.
    package var calls: Int
    /// Whether the provider may have charged for an answer that never arrived: the connection broke, or the time ran out,
    /// after the request had begun to leave.
    package var isMaybePaid: Bool
    /// Whether anything was sent: a request refused here says nothing about its provider.
    package var wasSent = true
    /// What had arrived of the answer; nil where nothing had.
    public var partialText: String?
    /// What the answer says about rate limits.
    package var limits: ObservedLimits?

    /// Makes a failure.
    package init(
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

    /// Makes a failure that says no more than its kind and a sentence.
    public init(_ failure: FailureClass, _ message: String) {
        self.init(failure, message, retryAfter: nil)
    }

    /// A request that cannot be sent to its provider as it is. Nothing was.
    package static func unsent(_ message: String) -> ModelFailure {
        var failure = ModelFailure(.permanent, message)
        failure.wasSent = false
        return failure
    }
}

/// What kind of failure ended an attempt: decided once, at the provider, and all that later decisions look at.
public enum FailureClass: String, Sendable, CaseIterable, Codable {
    /// Will fail the same way again: a bad request, an unknown model.
    case permanent
    /// May pass: a broken connection, a server error.
    case retryable
    /// The provider asked to wait. The attempt is given back.
    case rateLimited = "rate_limited"
    /// The provider has too much to do. The attempt is given back.
    case overloaded
    /// No key, or a key that is refused.
    case authentication
    /// Nothing left to spend.
    case quotaExhausted = "quota_exhausted"
    /// No answer before the deadline.
    case timedOut = "timed_out"
    /// Ended by a person's cancel.
    case cancelled
    /// An answer that cannot be read, or does not hold what was asked.
    case invalidReply = "invalid_reply"
    /// The model declined.
    case refused
    /// The worker died, or lost its lease.
    case crashed
    /// Not begun before `expires_at`.
    case expired
    /// A job that this one depends on ended without completing.
    case dependency
    /// The worker stopped before the call was through. The attempt is given back.
    case shutdown
}

extension FailureClass {
    /// Whether another target may be asked instead: the fault is the provider's, not the request's.
    package var allowsFallback: Bool {
        switch self {
        case .retryable, .rateLimited, .overloaded, .authentication, .quotaExhausted, .timedOut, .invalidReply: true
        case .permanent, .refused, .cancelled, .crashed, .expired, .dependency, .shutdown: false
        }
    }

    /// Whether it says that the provider works (true), or does not (false); nil where it says nothing about that.
    package var showsHealth: Bool? {
        switch self {
        case .permanent, .refused, .invalidReply: true
        case .retryable, .overloaded, .timedOut: false
        case .rateLimited, .authentication, .quotaExhausted, .cancelled, .crashed, .expired, .dependency, .shutdown: nil
        }
    }
}

/// What a failure is about: who must be left alone after a rate limit, a refused key or an empty account.
package enum FailureScope: String, Sendable, Codable {
    /// One model of the provider.
    case target
    /// Everything at the provider.
    case provider
}
