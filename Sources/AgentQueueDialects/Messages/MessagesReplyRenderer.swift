import AgentQueueModel

/// Writes answers as Anthropic's messages.
enum MessagesReplyRenderer {
    static func id(_ context: ReplyContext) -> String { "msg_aq\(context.job)" }

    static func body(of answer: Answer, _ context: ReplyContext) -> [UInt8] {
        if let native = answer.native(.messages) { return Array(native.utf8) }
        var members = head(model: answer.reply.model ?? context.model, context)
        members.append(.init("content", .array(content(of: answer))))
        members += ending(of: answer)
        members.append(.init("usage", usage(answer.reply.usage)))
        return JSONValue.object(members).utf8(sorted: false)
    }

    static func head(model: String, _ context: ReplyContext) -> [JSONValue.Member] {
        [.init("id", .string(id(context))), .init("type", "message"), .init("role", "assistant"), .init("model", .string(model))]
    }

    /// Text, then calls. Thinking of another dialect is left out: a block of it needs a signature, which only Anthropic can give.
    private static func content(of answer: Answer) -> [JSONValue] {
        var blocks: [JSONValue] = []
        for text in [answer.reply.text, answer.refusal] {
            if let text, !text.isEmpty { blocks.append(["type": "text", "text": .string(text)]) }
        }
        return blocks
            + answer.toolCalls.map { call in
                ["type": "tool_use", "id": .string(call.id), "name": .string(call.name), "input": input(call.arguments)]
            }
    }

    /// A call's input. What was cut off is no JSON, and stays a text.
    private static func input(_ arguments: String) -> JSONValue {
        if arguments.allSatisfy(\.isWhitespace) { return .object([]) }
        return (try? JSONValue.parseLeniently(arguments)) ?? .string(arguments)
    }

    /// Why the message ends, as a message and its last delta say it.
    static func ending(of answer: Answer) -> [JSONValue.Member] {
        let reason = stopReason(of: answer)
        var members: [JSONValue.Member] = [.init("stop_reason", .string(reason)), .init("stop_sequence", .null)]
        if reason == "refusal" {
            let words = answer.refusal.map { JSONValue.string($0) } ?? .null
            members.append(.init("stop_details", ["type": "refusal", "category": .null, "explanation": words]))
        }
        return members
    }

    private static func stopReason(of answer: Answer) -> String {
        if answer.refusal != nil { return "refusal" }
        switch answer.reply.finishReason {
        case "length": return "max_tokens"
        case "content_filter", "refusal": return "refusal"
        case "pause_turn": return "pause_turn"
        case "tool_calls", "function_call", nil: return answer.toolCalls.isEmpty ? "end_turn" : "tool_use"
        default: return "end_turn"
        }
    }

    /// Tokens as Anthropic counts them: the input without what the prompt cache read and wrote.
    static func usage(_ usage: Usage) -> JSONValue {
        let fresh = max(0, usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens)
        return [
            "input_tokens": .integer(Int64(fresh)), "cache_creation_input_tokens": .integer(Int64(usage.cacheWriteTokens)),
            "cache_read_input_tokens": .integer(Int64(usage.cacheReadTokens)), "output_tokens": .integer(Int64(usage.outputTokens)),
            "service_tier": "standard",
        ]
    }
}
