import AgentQueueModel

/// Writes answers as responses.
package enum ResponsesReplyRenderer {
    package static func id(_ context: ReplyContext) -> String { context.responseID ?? "resp_aq\(context.job)" }

    /// The response of an answer. A provider's own has our id, by which the client asks for it again.
    package static func body(of answer: Answer, _ context: ReplyContext) -> JSONValue {
        if let own = answer.native(.responses).flatMap({ try? JSONValue.parse($0) }) { return relabelled(own, context) }
        let (status, details) = ending(of: answer)
        return response(
            context, status: status, model: answer.reply.model, output: output(of: answer, context), details: details,
            usage: usage(answer.reply.usage))
    }

    /// The response of a job that has no answer yet, or will have none: `queued`, `in_progress`, `cancelled`.
    package static func body(status: String, _ context: ReplyContext) -> JSONValue {
        response(context, status: status)
    }

    /// The response of a job that failed.
    package static func body(of error: GatewayError, _ context: ReplyContext, output: [JSONValue] = []) -> JSONValue {
        // Clients know few codes.
        let code = error.cause == .rateLimited ? "rate_limit_exceeded" : "server_error"
        let words = error.json(.openAI, requestID: context.requestID)["error"]?["message"] ?? .null
        return response(context, status: "failed", output: output, error: ["code": .string(code), "message": words])
    }

    static func response(
        _ context: ReplyContext, status: String, model: String? = nil, output: [JSONValue] = [], error: JSONValue = .null,
        details: JSONValue = .null, usage: JSONValue = .null
    ) -> JSONValue {
        func asked(_ key: String, _ fallback: JSONValue = .null) -> JSONValue.Member {
            let value = context.request?[key] ?? .null
            return .init(key, value.isNull ? fallback : value)
        }
        return .object([
            .init("id", .string(id(context))), .init("object", "response"), .init("created_at", .integer(context.created)),
            .init("status", .string(status)), asked("background", false), .init("error", error), .init("incomplete_details", details),
            asked("instructions"), asked("max_output_tokens"), asked("metadata", .object([])),
            .init("model", .string(model ?? context.model)), .init("output", .array(output)), asked("parallel_tool_calls", true),
            asked("previous_response_id"), asked("reasoning", ["effort": .null, "summary": .null]),
            asked("service_tier", "default"), asked("store", true), asked("temperature", 1), asked("text", ["format": ["type": "text"]]),
            asked("tool_choice", "auto"), asked("tools", []), asked("top_p", 1), asked("truncation", "disabled"), .init("usage", usage),
        ])
    }

    /// A provider's own response under our id, with what the client asked of us and not of the provider.
    static func relabelled(_ response: JSONValue, _ context: ReplyContext) -> JSONValue {
        var response = response.setting("id", .string(id(context)))
        for key in ["background", "previous_response_id", "store"] {
            let asked = context.request?[key] ?? .null
            guard response[key] != nil || !asked.isNull else { continue }
            let fallback: JSONValue = key == "store" ? true : key == "background" ? false : .null
            response = response.setting(key, asked.isNull ? fallback : asked)
        }
        return response
    }

    static func ending(of answer: Answer) -> (status: String, details: JSONValue) {
        if answer.refusal != nil { return ("completed", .null) }
        switch answer.reply.finishReason {
        case "length": return ("incomplete", ["reason": "max_output_tokens"])
        case "content_filter", "refusal": return ("incomplete", ["reason": "content_filter"])
        default: return ("completed", .null)
        }
    }

    static func usage(_ usage: Usage) -> JSONValue {
        [
            "input_tokens": .integer(Int64(usage.inputTokens)),
            "input_tokens_details": [
                "cached_tokens": .integer(Int64(usage.cacheReadTokens)), "cache_write_tokens": .integer(Int64(usage.cacheWriteTokens)),
            ],
            "output_tokens": .integer(Int64(usage.outputTokens)), "output_tokens_details": ["reasoning_tokens": 0],
            "total_tokens": .integer(Int64(usage.inputTokens + usage.outputTokens)),
        ]
    }

    /// The items of an answer, as its stream would bring them.
    private static func output(of answer: Answer, _ context: ReplyContext) -> [JSONValue] {
        var sequence = BlockSequence()
        var items = ResponseItems(context)
        var steps = ReplyProgress().rest(of: answer).reduce(into: [BlockSequence.Step]()) { $0 += sequence.take($1) }
        steps += sequence.end()
        for step in steps { items.take(step) }
        return items.output
    }
}

/// The items of a response, one after the other: reasoning, a message, a call.
struct ResponseItems: Sendable {
    private let context: ReplyContext
    /// The items that are done.
    private(set) var output: [JSONValue] = []
    private(set) var block = BlockSequence.Block.text
    /// What the open item says so far.
    private(set) var text = ""

    init(_ context: ReplyContext) {
        self.context = context
    }

    mutating func take(_ step: BlockSequence.Step) {
        switch step {
        case .open(let block): (self.block, text) = (block, "")
        case .add(let piece): text += piece
        case .close: output.append(item(isDone: true))
        }
    }

    /// The id of the open item.
    var id: String {
        let prefix =
            switch block {
            case .text, .refusal: "msg"
            case .reasoning: "rs"
            case .call: "fc"
            }
        return "\(prefix)_aq\(context.job)_\(output.count)"
    }

    /// The open item, empty as it is added or whole as it is done.
    func item(isDone: Bool) -> JSONValue {
        let status: JSONValue = isDone ? "completed" : "in_progress"
        switch block {
        case .text, .refusal:
            return [
                "type": "message", "id": .string(id), "status": status, "role": "assistant", "content": isDone ? [part(text)] : [],
            ]
        case .reasoning:
            return [
                "type": "reasoning", "id": .string(id), "summary": [], "content": isDone ? [part(text)] : [], "status": status,
            ]
        case .call(let id, let name):
            return [
                "type": "function_call", "id": .string(self.id), "call_id": .string(id), "name": .string(name),
                "arguments": .string(isDone ? text : ""), "status": status,
            ]
        }
    }

    /// The only part of a message's or a reasoning's content.
    func part(_ text: String) -> JSONValue {
        switch block {
        case .refusal: ["type": "refusal", "refusal": .string(text)]
        case .reasoning: ["type": "reasoning_text", "text": .string(text)]
        default: ["type": "output_text", "text": .string(text), "annotations": [], "logprobs": []]
        }
    }
}
