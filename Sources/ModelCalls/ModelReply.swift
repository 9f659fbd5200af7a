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

    /// Makes a reply.
    public init(
        text: String? = nil, embeddings: [[Float]]? = nil, finishReason: String? = nil, usage: Usage = Usage(), model: String? = nil,
        requestID: String? = nil, toolCalls: JSONValue? = nil
    ) {
        self.text = text
        self.embeddings = embeddings
        self.finishReason = finishReason
        self.usage = usage
        self.model = model
        self.requestID = requestID
        self.toolCalls = toolCalls
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
        if let finishReason { members.append(.init("finish_reason", .string(finishReason))) }
        if let model { members.append(.init("model", .string(model))) }
        if let requestID { members.append(.init("request_id", .string(requestID))) }
        return .object(members)
    }
}
