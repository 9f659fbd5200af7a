import ModelCalls

/// A call that brought no answer, with what the server said, from which to tell whether it wants the call written otherwise.
struct CallFailure: Error, Sendable {
    /// What it comes to.
    var failure: ModelFailure
    /// The answer's HTTP status; nil where there was none, or it was good.
    var status: Int?
    /// What the answer's body says; never to be shown as it is.
    var error: OpenAIError?

    /// Makes a failure.
    init(_ failure: ModelFailure, status: Int? = nil, error: OpenAIError? = nil) {
        self.failure = failure
        self.status = status
        self.error = error
    }
}
