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
    /// What was called, `provider/model`; nil where nothing was, or it is not known.
    public var target: String?
    /// What the call cost although it failed, or may have cost, in US dollars.
    public var cost: Double
    /// What had arrived of the answer. Only the latest of a job is kept.
    public var partialText: String?

    /// The longest message stored, in bytes; the rest is cut.
    public static let maxMessageBytes = 2_000
    /// The longest partial answer stored, in bytes; the rest is cut.
    public static let maxPartialBytes = 256 << 10

    /// Makes an error; one that cost nothing and left nothing, unless told.
    public init(
        attempt: Int, at: Int64, failure: FailureClass, message: String, target: String? = nil, cost: Double = 0,
        partialText: String? = nil
    ) {
        self.attempt = attempt
        self.at = at
        self.failure = failure
        self.message = message
        self.target = target
        self.cost = cost
        self.partialText = partialText
    }
}
