/// A model's answer, whole.
public struct ModelReply: Sendable, Equatable {
    /// The answer's text, for `generate`.
    public var text: String?
    /// One vector per input, in their order, for `embed`.
    public var embeddings: [[Float]]?
    /// Why it ended: `stop`, `length`, `tool_calls`, `content_filter`, or the provider's own word.
    public var finishReason: String?
    /// Tokens, as the provider counted them.
    public var usage: Usage
    /// What answered, as the provider named it; nil where it did not.
    public var model: String?
    /// The provider's id for the call, for its support.
    public var requestID: String?
    /// Calls of tools the model asks for, verbatim.
    public var toolCalls: JSONValue?
    /// What the model thought before it answered, where it says so.
    public var reasoning: String?
    /// What it cost in US dollars, where the provider says it; nil where it is to be worked out from `usage`.
    public var cost: Double?
    /// How many requests the provider charged for: more than one where a program asked again behind our back, 0 where the request
    /// shared the call of another, which counts it.
    public var calls: Int
    /// What the answer says about rate limits.
    package var limits: ObservedLimits?

    /// Makes the whole answer to a `generate` request, which may be cached.
    /// - Parameters:
    ///   - text: the text.
    ///   - usage: tokens, for the statistics and limits of tokens a minute.
    ///   - cost: in US dollars; nil leaves it to the configured price of its tokens.
    public init(_ text: String, usage: Usage = Usage(), cost: Double? = nil) {
        self.init(text: text, finishReason: "stop", usage: usage, cost: cost)
    }

    /// Makes the answer to an `embed` request: a vector for each of its texts, in their order.
    public init(vectors: [[Float]], usage: Usage = Usage(), cost: Double? = nil) {
        self.init(embeddings: vectors, usage: usage, cost: cost)
    }

    /// Makes a reply with all that a provider may say.
    package init(
        text: String? = nil, embeddings: [[Float]]? = nil, finishReason: String? = nil, usage: Usage = Usage(), model: String? = nil,
        requestID: String? = nil, toolCalls: JSONValue? = nil, reasoning: String? = nil, cost: Double? = nil, calls: Int = 1,
        limits: ObservedLimits? = nil
    ) {
        self.text = text
        self.embeddings = embeddings
        self.finishReason = finishReason
        self.usage = usage
        self.model = model
        self.requestID = requestID
        self.toolCalls = toolCalls
        self.reasoning = reasoning
        self.cost = cost
        self.calls = calls
        self.limits = limits
    }

    /// Whether the answer is all the model had to say, so that it may serve again from the cache. A truncated, refused
    /// or oddly ended answer may not.
    package var isComplete: Bool {
        if embeddings != nil { return true }
        return ["stop", "tool_calls"].contains(finishReason)
    }

    /// The reply as stored and printed.
    package var json: JSONValue {
        var members: [JSONValue.Member] = []
        if let text { members.append(.init("text", .string(text))) }
        if let embeddings {
            members.append(.init("embeddings", .array(embeddings.map { .array($0.map { .double(Double("\($0)") ?? Double($0)) }) })))
        }
        if let toolCalls { members.append(.init("tool_calls", toolCalls)) }
        if let reasoning { members.append(.init("reasoning", .string(reasoning))) }
        if let finishReason { members.append(.init("finish_reason", .string(finishReason))) }
        if let model { members.append(.init("model", .string(model))) }
        if let requestID { members.append(.init("request_id", .string(requestID))) }
        if usage.cacheReadTokens > 0 { members.append(.init("cache_read_tokens", .integer(Int64(usage.cacheReadTokens)))) }
        if usage.cacheWriteTokens > 0 { members.append(.init("cache_write_tokens", .integer(Int64(usage.cacheWriteTokens)))) }
        if calls > 1 { members.append(.init("calls", .integer(Int64(calls)))) }
        return .object(members)
    }
}

/// What a call came to. A refusal, a rate limit or a timeout is a value; only broken machinery throws.
public enum Outcome: Sendable, Equatable {
    /// Answered.
    case reply(ModelReply)
    /// Not answered.
    case failure(ModelFailure)
}

/// The tokens of an answer, as the provider counted them.
public struct Usage: Sendable, Hashable {
    /// Tokens read, cached ones included.
    public var inputTokens: Int
    /// Tokens written.
    public var outputTokens: Int
    /// Of `inputTokens`, those that the provider had in its prompt cache.
    public var cacheReadTokens: Int
    /// Of `inputTokens`, those that it put into its prompt cache.
    public var cacheWriteTokens: Int

    /// Tokens read and written; none by default.
    public init(inputTokens: Int = 0, outputTokens: Int = 0, cacheReadTokens: Int = 0, cacheWriteTokens: Int = 0) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.cacheReadTokens = cacheReadTokens
        self.cacheWriteTokens = cacheWriteTokens
    }

    /// Both together.
    public static func + (one: Usage, other: Usage) -> Usage {
        Usage(
            inputTokens: one.inputTokens + other.inputTokens, outputTokens: one.outputTokens + other.outputTokens,
            cacheReadTokens: one.cacheReadTokens + other.cacheReadTokens, cacheWriteTokens: one.cacheWriteTokens + other.cacheWriteTokens)
    }
}

/// What a model's tokens cost, in US dollars per million.
package struct ModelPrice: Sendable, Equatable {
    /// For a million tokens read.
    package var input: Double
    /// For a million tokens written.
    package var output: Double
    /// For a million tokens that the provider's prompt cache held.
    package var cacheRead: Double
    /// For a million tokens that go into the provider's prompt cache.
    package var cacheWrite: Double

    /// Makes a price; what goes through a prompt cache costs what other input does, unless told.
    package init(input: Double, output: Double, cacheRead: Double? = nil, cacheWrite: Double? = nil) {
        self.input = input
        self.output = output
        self.cacheRead = cacheRead ?? input
        self.cacheWrite = cacheWrite ?? input
    }

    /// What an answer cost, in US dollars.
    package func cost(of usage: Usage) -> Double {
        let plain = max(0, usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens)
        return
            (Double(plain) * input + Double(usage.cacheReadTokens) * cacheRead + Double(usage.cacheWriteTokens) * cacheWrite
            + Double(usage.outputTokens) * output) / 1_000_000
    }
}
