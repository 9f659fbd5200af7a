/// A model's complete answer.
public struct ModelReply: Sendable, Equatable {
    /// The text of the answer, for `generate`.
    public var text: String?
    /// One vector per input, in the same order, for `embed`.
    public var embeddings: [[Float]]?
    /// Why the answer ended: `stop`, `length`, `tool_calls`, `content_filter`, or the provider's own word.
    public var finishReason: String?
    /// The tokens, as the provider counted them.
    public var usage: Usage
    /// The model that answered, as the provider named it; nil if it did not say.
    public var model: String?
    /// The provider's id for the call, to quote to its support.
    public var requestID: String?
    /// The tool calls the model asks for, verbatim.
    public var toolCalls: JSONValue?
    /// The model's reasoning before the answer, if the provider reports it.
    public var reasoning: String?
    /// The cost in US dollars, if the provider reports it; nil to compute it from `usage`.
    public var cost: Double?
    /// How many requests the provider charged for: more than one if a program in between made further calls of its own, 0 if the request
    /// shared another request's call, which counts it.
    public var calls: Int
    /// The rate limits reported with the answer.
    package var limits: ObservedLimits?
    /// The answer as the provider wrote it, if the request came in the provider's own form.
    package var native: NativeReply?

    /// Creates the complete answer to a `generate` request. It may be cached.
    /// - Parameters:
    ///   - text: the text of the answer.
    ///   - usage: tokens, for the statistics and for limits on tokens per minute.
    ///   - cost: in US dollars; nil computes it from the price of its tokens, if that is known.
    public init(_ text: String, usage: Usage = Usage(), cost: Double? = nil) {
        self.init(text: text, finishReason: "stop", usage: usage, cost: cost)
    }

    /// Creates the answer to an `embed` request: one vector for each of its texts, in the same order.
    /// - Parameters:
    ///   - vectors: one for each text.
    ///   - usage: tokens, for the statistics and for limits on tokens per minute.
    ///   - cost: in US dollars; nil computes it from the price of its tokens, if that is known.
    public init(vectors: [[Float]], usage: Usage = Usage(), cost: Double? = nil) {
        self.init(embeddings: vectors, usage: usage, cost: cost)
    }

    /// Creates a reply with everything a provider can report.
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

    /// Whether the answer is all the model had to say, so that the cache may serve it again. A truncated or refused answer, or one that
    /// ended for an unknown reason, is not.
    package var isComplete: Bool {
        if embeddings != nil { return true }
        return ["stop", "tool_calls"].contains(finishReason)
    }

    /// The reply as it is stored. What programs print leaves the native answer out: see ``JSONValue/withoutNative``.
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
        if let native { members.append(.init(NativeReply.member, native.json)) }
        return .object(members)
    }
}

/// The outcome of a call. Refusals, rate limits and timeouts are values.
public enum Outcome: Sendable, Equatable {
    /// The model answered.
    case reply(ModelReply)
    /// The call failed.
    case failure(ModelFailure)
}

/// The tokens of an answer, as the provider counted them.
public struct Usage: Sendable, Hashable {
    /// Tokens read, including cached ones.
    public var inputTokens: Int
    /// Tokens written.
    public var outputTokens: Int
    /// The part of `inputTokens` that the provider read from its prompt cache.
    public var cacheReadTokens: Int
    /// The part of `inputTokens` that the provider wrote to its prompt cache.
    public var cacheWriteTokens: Int

    /// Creates token counts; each is 0 by default.
    public init(inputTokens: Int = 0, outputTokens: Int = 0, cacheReadTokens: Int = 0, cacheWriteTokens: Int = 0) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.cacheReadTokens = cacheReadTokens
        self.cacheWriteTokens = cacheWriteTokens
    }

    /// The sum of two token counts.
    public static func + (one: Usage, other: Usage) -> Usage {
        Usage(
            inputTokens: one.inputTokens + other.inputTokens, outputTokens: one.outputTokens + other.outputTokens,
            cacheReadTokens: one.cacheReadTokens + other.cacheReadTokens, cacheWriteTokens: one.cacheWriteTokens + other.cacheWriteTokens)
    }
}
