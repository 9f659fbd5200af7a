/// What one request of a batch came to.
public struct BatchItemResult: Sendable, Equatable {
    /// Its name in the batch.
    public var id: String
    /// The answer, or why there is none. A failure of class `cancelled` or `expired` says that the batch ended before the request's
    /// turn: it was not charged for.
    public var outcome: Outcome
    /// What the provider said of a failure in words of its own, which may quote the request: never to be shown as it is, but by
    /// ``BatchProvider/outcome(of:to:)``.
    public var remark: String?

    /// Makes a result.
    public init(id: String, outcome: Outcome, remark: String? = nil) {
        self.id = id
        self.outcome = outcome
        self.remark = remark
    }
}
