import AgentQueueModel

/// Writes answers as chat completions.
enum ChatReplyRenderer {
    static func id(_ context: ReplyContext) -> String { "chatcmpl-aq\(context.job)" }

    static func body(of answers: [Answer], _ context: ReplyContext) -> [UInt8] {
        if answers.count == 1, let native = answers.first?.native(.chat) { return Array(native.utf8) }
        let usage = answers.reduce(Usage()) { $0 + $1.reply.usage }
        let body: JSONValue = [
            "id": .string(id(context)), "object": "chat.completion", "created": .integer(context.created),
            "model": .string(answers.first?.reply.model ?? context.model),
            "choices": .array(answers.enumerated().map { choice(of: $1, index: $0) }), "usage": self.usage(usage),
        ]
        return body.utf8(sorted: false)
    }

    /// A sample's choice: the provider's own, where it came as one.
    private static func choice(of answer: Answer, index: Int) -> JSONValue {
        if let own = answer.native(.chat).flatMap({ try? JSONValue.parse($0) })?["choices"]?.array?.first {
            return own.setting("index", .integer(Int64(index)))
        }
        return [
            "index": .integer(Int64(index)), "message": message(of: answer), "logprobs": .null,
            "finish_reason": .string(finishReason(of: answer)),
        ]
    }

    private static func message(of answer: Answer) -> JSONValue {
        let calls = answer.toolCalls.map(call)
        let hasNoText = !calls.isEmpty || answer.refusal != nil
        var members: [JSONValue.Member] = [
            .init("role", "assistant"), .init("content", answer.reply.text.map { .string($0) } ?? (hasNoText ? .null : "")),
            .init("refusal", answer.refusal.map { .string($0) } ?? .null), .init("annotations", []),
        ]
        if let reasoning = answer.reply.reasoning, !reasoning.isEmpty { members.append(.init("reasoning_content", .string(reasoning))) }
        if !calls.isEmpty { members.append(.init("tool_calls", .array(calls))) }
        return .object(members)
    }

    private static func call(_ call: Answer.ToolCall) -> JSONValue {
        [
            "id": .string(call.id), "type": "function",
            "function": ["name": .string(call.name), "arguments": .string(call.arguments)],
        ]
    }

    /// One of the reasons that clients know.
    static func finishReason(of answer: Answer) -> String {
        if answer.refusal != nil { return "content_filter" }
        switch answer.reply.finishReason {
        case "length": return "length"
        case "content_filter", "refusal": return "content_filter"
        case "tool_calls", "function_call": return answer.toolCalls.isEmpty ? "stop" : "tool_calls"
        case nil: return answer.toolCalls.isEmpty ? "stop" : "tool_calls"
        default: return "stop"
        }
    }

    static func usage(_ usage: Usage) -> JSONValue {
        [
            "prompt_tokens": .integer(Int64(usage.inputTokens)), "completion_tokens": .integer(Int64(usage.outputTokens)),
            "total_tokens": .integer(Int64(usage.inputTokens + usage.outputTokens)),
            "prompt_tokens_details": ["cached_tokens": .integer(Int64(usage.cacheReadTokens)), "audio_tokens": 0],
        ]
    }
}

extension JSONValue {
    /// The object with a member replaced where it stands, or added at the end.
    func setting(_ key: String, _ value: JSONValue) -> JSONValue {
        guard var members else { return self }
        if let place = members.firstIndex(where: { $0.key.isExactly(key) }) {
            members[place].value = value
        } else {
            members.append(.init(key, value))
        }
        return .object(members)
    }

    /// The object without some of its members.
    func removing(_ keys: Set<String>) -> JSONValue {
        members.map { .object($0.filter { !keys.contains($0.key) }) } ?? self
    }
}
