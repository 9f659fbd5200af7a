/// Why a call produced no answer. The provider classifies the failure once.
public struct ModelFailure: Error, Sendable, Equatable {
    /// The kind of failure; it decides what happens to the job next.
    public var failure: FailureClass
    /// One sentence. It must never hold a prompt or a key.
    public var message: String
    /// How long the provider asks to wait before trying again, in ms from now.
    package var retryAfter: Int64?
    /// The provider's id for the call.
    package var requestID: String?
    /// What the failure is about: the target, by default, or the whole provider. After a rate limit, a refused key or an empty account,
    /// the queue leaves that alone for a while.
    public var scope: FailureScope
    /// The tokens the provider counted although the call failed.
    public var usage: Usage
    /// The cost of the failed call in US dollars, if the provider reports it; nil to compute it from `usage`.
    public var cost: Double?
    /// How many requests the provider charged for; 0 if it certainly charged for none, or if the request shared another request's call,
    /// which counts it.
    package var calls: Int
    /// Whether the provider may have charged for an answer that never arrived, because the connection broke or the call timed out after
    /// the request had begun to be sent. Budgets then count what the answer might have cost at most.
    public var isMaybePaid: Bool
    /// Whether anything was sent. A request refused locally says nothing about its provider.
    package var wasSent = true
    /// Whether nothing was sent because this process has no file, memory or connection left for the call.
    package var isOwnShortage = false
    /// Whether the model worked, but reached its limit of output tokens before it had written any text.
    package var isCutOff = false
    /// The part of the answer that had arrived; nil if none had.
    public var partialText: String?
    /// The rate limits reported with the failure.
    package var limits: ObservedLimits?
    /// The provider's error answer; nil if there was none.
    package var answer: ErrorAnswer?

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

    /// Creates a failure from its kind and a message. It is about the target, says nothing about when to try again, and was not paid for:
    /// set ``wait``, ``scope`` and ``isMaybePaid`` if that is otherwise.
    /// - Parameters:
    ///   - failure: the kind, which decides whether and when the job is tried again.
    ///   - message: one sentence without a prompt or a key in it.
    public init(_ failure: FailureClass, _ message: String) {
        self.init(failure, message, retryAfter: nil)
    }

    /// The failure of an answer that reached its limit of output tokens before any text. It was charged. The message is the end of a
    /// sentence.
    /// - Parameter isThinking: whether the tokens went into reasoning.
    package static func cutOff(isThinking: Bool, requestID: String?, usage: Usage, cost: Double? = nil) -> ModelFailure {
        let tokens = usage.outputTokens > 0 ? "all \(usage.outputTokens) output tokens" : "all its output tokens"
        let words = isThinking ? "spent \(tokens) on reasoning" : "used \(tokens)"
        var failure = ModelFailure(
            .invalidReply, "\(words) and wrote no text: raise max_tokens", requestID: requestID, usage: usage, cost: cost, calls: 1)
        failure.isCutOff = true
        return failure
    }

    /// A failure of this process, which has no file, memory or connection left for the call. It says nothing about the provider, and the
    /// attempt does not count.
    package static func notConnected(_ message: String) -> ModelFailure {
        var failure = ModelFailure(.unreachable, message)
        (failure.wasSent, failure.isOwnShortage) = (false, true)
        return failure
    }

    /// A failure for a request that cannot be sent to its provider as it is. Nothing was sent.
    package static func unsent(_ message: String) -> ModelFailure {
        var failure = ModelFailure(.permanent, message)
        failure.wasSent = false
        return failure
    }
}

/// The kind of failure that ended an attempt. The provider determines it once, and all later decisions depend on it alone.
public enum FailureClass: String, Sendable, CaseIterable, Codable {
    /// It would fail the same way again: a bad request, an unknown model.
    case permanent
    /// It may pass: a broken connection, a server error.
    case retryable
    /// No connection to the provider could be made, so nothing was sent. The attempt does not count.
    case unreachable
    /// The provider asked to wait. The attempt does not count.
    case rateLimited = "rate_limited"
    /// The provider is overloaded. The attempt does not count.
    case overloaded
    /// There is no key, or the provider refused it. The attempt does not count.
    case authentication
    /// The account's quota is exhausted. The attempt does not count.
    case quotaExhausted = "quota_exhausted"
    /// No answer before the deadline.
    case timedOut = "timed_out"
    /// Cancelled by a person.
    case cancelled
    /// The answer cannot be read, or does not match what was asked for.
    case invalidReply = "invalid_reply"
    /// The model declined to answer.
    case refused
    /// The worker died or lost its lease.
    case crashed
    /// The job had not begun before `expires_at`.
    case expired
    /// A job that this one depends on ended without completing.
    case dependency
    /// The worker stopped before the call was finished. The attempt does not count.
    case shutdown
}

extension FailureClass {
    /// Whether another target may be asked instead, because the provider is at fault and not the request.
    package var allowsFallback: Bool {
        switch self {
        case .retryable, .unreachable, .rateLimited, .overloaded, .authentication, .quotaExhausted, .timedOut, .invalidReply: true
        case .permanent, .refused, .cancelled, .crashed, .expired, .dependency, .shutdown: false
        }
    }

    /// True if the failure shows that the provider works, false if it shows that it does not; nil if it shows neither.
    package var showsHealth: Bool? {
        switch self {
        case .permanent, .refused, .invalidReply: true
        case .retryable, .overloaded, .timedOut: false
        // A provider that cannot be reached is paused instead.
        case .unreachable, .rateLimited, .authentication, .quotaExhausted, .cancelled, .crashed, .expired, .dependency, .shutdown: nil
        }
    }
}

/// What a failure is about: what must be left alone after a rate limit, a refused key or an empty account.
public enum FailureScope: String, Sendable, Codable {
    /// One model of the provider.
    case target
    /// Everything at the provider.
    case provider
}
