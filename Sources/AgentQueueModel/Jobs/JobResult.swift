/// A job's answer, as stored.
public struct JobResult: Sendable, Equatable {
    /// The reply: `text` or `embeddings`, `finish_reason`, and whatever else the provider sent.
    public var reply: JSONValue
    /// The tokens of the answer. For a cached answer, those of the call that was originally paid for.
    public var usage: Usage
    /// The cost in US dollars: 0 for an answer that cost nothing, such as a cached one; nil if the price is unknown.
    public var cost: Double?
    /// Where the answer came from: a call for this job, the cache, an identical job's call, or a fallback.
    public var answeredBy: AnsweredBy
    /// The target that answered, `provider/model`.
    public var target: String
    /// The duration of the call in ms; 0 if the cache answered.
    package var latency: Int64
    /// The answer as the provider wrote it, if the store has it. It says what ``reply`` says, and is not printed.
    package var native: NativeReply?

    package init(reply: JSONValue, usage: Usage, cost: Double?, answeredBy: AnsweredBy, target: String, latency: Int64) {
        self.reply = reply
        self.usage = usage
        self.cost = cost
        self.answeredBy = answeredBy
        self.target = target
        self.latency = latency
    }
}

extension JobResult {
    /// A stored result.
    /// - Parameter stored: the reply as stored, with the native answer in it.
    package init(stored: JSONValue, usage: Usage, cost: Double?, answeredBy: AnsweredBy, target: String, latency: Int64) {
        self.init(reply: stored.withoutNative, usage: usage, cost: cost, answeredBy: answeredBy, target: target, latency: latency)
        native = stored[NativeReply.member].flatMap(NativeReply.init(stored:))
    }

    /// The text of the answer; nil if it has none.
    public var text: String? { reply["text"]?.string }

    /// Why the model stopped, in the provider's words; nil if it did not say.
    public var finishReason: String? { reply["finish_reason"]?.string }
}

/// Where a job's answer came from.
public enum AnsweredBy: String, Sendable, CaseIterable, Codable {
    /// A call made for this job, to its own target.
    case provider
    /// The response cache; nothing was paid.
    case cache
    /// A call made for an identical job.
    case coalesced
    /// A call to another target, which the result names.
    case fallback

    /// Whether a call was made for the job itself.
    package var isPaid: Bool { self == .provider || self == .fallback }
}

/// Why an attempt, or a job, ended without an answer.
public struct JobError: Sendable, Equatable {
    /// The number of the attempt; 0 if the job ended outside any attempt.
    public var attempt: Int
    package var at: Int64
    /// The kind of failure.
    public var failure: FailureClass
    /// One sentence. It never holds a prompt or a key.
    public var message: String
    /// The target that was called, `provider/model`; nil if none was or it is not known.
    public var target: String?
    /// What the failed call cost, or may have cost, in US dollars: 0 if it cost nothing, nil if the price is unknown.
    public var cost: Double?
    /// The part of the answer that had arrived. Only a job's latest partial answer is kept.
    public var partialText: String?
    /// The provider's error answer; nil if there was none or it is not kept.
    package var answer: ErrorAnswer?

    /// The longest message stored, in bytes; longer ones are cut.
    package static let maxMessageBytes = 2_000
    /// The longest partial answer stored, in bytes; longer ones are cut.
    package static let maxPartialBytes = 256 << 10

    package init(
        attempt: Int, at: Int64, failure: FailureClass, message: String, target: String? = nil, cost: Double? = 0,
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
