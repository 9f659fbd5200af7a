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
    public var latency: Int64

    /// Makes a result.
    public init(reply: JSONValue, usage: Usage, cost: Double, answeredBy: AnsweredBy, target: String, latency: Int64) {
        self.reply = reply
        self.usage = usage
        self.cost = cost
        self.answeredBy = answeredBy
        self.target = target
        self.latency = latency
    }
}
