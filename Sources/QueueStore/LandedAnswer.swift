import JobModel

/// The answer to an identical request, for the jobs that wait for it.
struct LandedAnswer {
    /// The reply as stored.
    var reply: String
    /// What answered, `provider/model`.
    var target: String
    /// The tokens of the call, which was paid for once.
    var usage: Usage
    /// What the call cost, in US dollars: what each of those who wait saves.
    var cost: Double
    /// From the call's start to its end, in ms.
    var latency: Int64
}

extension LandedAnswer {
    init(reply: String, _ result: JobResult) {
        self.init(reply: reply, target: result.target, usage: result.usage, cost: result.cost, latency: result.latency)
    }

    init(_ cached: CachedReply) {
        let usage = Usage(inputTokens: cached.inputTokens, outputTokens: cached.outputTokens)
        self.init(reply: cached.reply, target: cached.target, usage: usage, cost: cached.cost, latency: 0)
    }
}
