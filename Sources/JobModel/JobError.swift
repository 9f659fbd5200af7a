/// Why an attempt, or a job, ended without an answer.
public struct JobError: Sendable, Equatable {
    /// The attempt's number; 0 where the job ended outside any.
    public var attempt: Int
    /// Wall clock, ms.
    public var at: Int64
    /// What kind of failure.
    public var failure: FailureClass
    /// One sentence. Never holds a prompt or a key.
    public var message: String

    /// The longest message stored, in bytes; the rest is cut.
    public static let maxMessageBytes = 2_000

    /// Makes an error.
    public init(attempt: Int, at: Int64, failure: FailureClass, message: String) {
        self.attempt = attempt
        self.at = at
        self.failure = failure
        self.message = message
    }
}
