import JobModel

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
    public var limits: ObservedLimits?

    /// Makes a reply.
    public init(
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
    public var isComplete: Bool {
        if embeddings != nil { return true }
        return ["stop", "tool_calls"].contains(finishReason)
    }

    /// The reply as stored and printed.
    public var json: JSONValue {
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
