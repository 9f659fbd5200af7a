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

    /// Makes a failure.
    public init(_ failure: FailureClass, _ message: String, retryAfter: Int64? = nil, requestID: String? = nil) {
        self.failure = failure
        self.message = message
        self.retryAfter = retryAfter
        self.requestID = requestID
    }
}
