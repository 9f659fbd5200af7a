/// A job's answer, as stored.
public struct JobResult: Sendable, Equatable {
    /// The reply (`ModelReply.json`): `text` or `embeddings`, `finish_reason`, and what else the provider sent.
    public var reply: JSONValue
    /// The tokens of the answer; where the cache answered, of the call that was once paid for.
    public var usage: Usage
    /// In US dollars; 0 where no price is configured.
    public var cost: Double
    /// Where it came from: a call of its own, the cache, an identical job's call, or a fallback.
    public var answeredBy: AnsweredBy
    /// What answered, `provider/model`.
    public var target: String
    /// From the call's start to its end, in ms; 0 from the cache.
    package var latency: Int64

    /// Makes a result.
    package init(reply: JSONValue, usage: Usage, cost: Double, answeredBy: AnsweredBy, target: String, latency: Int64) {
        self.reply = reply
        self.usage = usage
        self.cost = cost
        self.answeredBy = answeredBy
        self.target = target
        self.latency = latency
    }
}

extension JobResult {
    /// The answer's text.
    public var text: String? { reply["text"]?.string }

    /// Why the answer ended.
    public var finishReason: String? { reply["finish_reason"]?.string }
}

/// Where a job's answer came from.
public enum AnsweredBy: String, Sendable, CaseIterable, Codable {
    /// A call made for this job, to its own target.
    case provider
    /// The response cache: nothing was paid.
    case cache
    /// A call made for an identical job.
    case coalesced
    /// A call to another target, named in the result.
    case fallback
}

/// Why an attempt, or a job, ended without an answer.
public struct JobError: Sendable, Equatable {
    /// The attempt's number; 0 where the job ended outside any.
    public var attempt: Int
    /// Wall clock, ms.
    package var at: Int64
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
    package static let maxMessageBytes = 2_000
    /// The longest partial answer stored, in bytes; the rest is cut.
    package static let maxPartialBytes = 256 << 10

    /// Makes an error; one that cost nothing and left nothing, unless told.
    package init(
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
