import AgentQueueModel

/// A job as a line of an OpenAI batch's output or error file.
package enum OpenAIBatchLine {
    package static func make(_ job: Job) -> JSONValue {
        let id = "batch_req_\(job.id)"
        var response = JSONValue.null
        var error = JSONValue.null
        if let result = job.result {
            response = .object([
                .init("status_code", 200), .init("request_id", .string(result.reply["request_id"]?.string ?? "req_\(job.id)")),
                .init("body", body(job, result)),
            ])
        } else if job.state.isFinal {
            error = .object([.init("code", .string(code(job))), .init("message", .string(job.errors.last?.message ?? job.state.rawValue))])
        }
        return .object([
            .init("id", .string(id)), .init("custom_id", .string(job.customID ?? "\(job.id)")), .init("response", response),
            .init("error", error),
        ])
    }

    private static func code(_ job: Job) -> String {
        if job.state == .cancelled { return "batch_cancelled" }
        return job.errors.last?.failure == .expired ? "batch_expired" : "request_failed"
    }

    private static func body(_ job: Job, _ result: JobResult) -> JSONValue {
        let model = result.reply["model"] ?? .string(job.target.model)
        let usage = result.usage
        if let vectors = result.reply["embeddings"]?.array {
            let data = vectors.enumerated().map { index, vector in
                JSONValue.object([.init("object", "embedding"), .init("index", .integer(Int64(index))), .init("embedding", vector)])
            }
            return .object([
                .init("object", "list"), .init("data", .array(data)), .init("model", model),
                .init(
                    "usage",
                    .object([
                        .init("prompt_tokens", .integer(Int64(usage.inputTokens))),
                        .init("total_tokens", .integer(Int64(usage.inputTokens))),
                    ])),
            ])
        }
        var message: [JSONValue.Member] = [
            .init("role", "assistant"), .init("content", result.reply["text"] ?? .null), .init("refusal", .null),
        ]
        if let calls = result.reply["tool_calls"] { message.append(.init("tool_calls", calls)) }
        return .object([
            .init("id", .string("chatcmpl-\(job.id)")), .init("object", "chat.completion"),
            .init("created", .integer((job.finalizedAt ?? job.createdAt) / 1_000)), .init("model", model),
            .init(
                "choices",
                .array([
                    .object([
                        .init("index", 0), .init("message", .object(message)), .init("logprobs", .null),
                        .init("finish_reason", result.reply["finish_reason"] ?? "stop"),
                    ])
                ])),
            .init(
                "usage",
                .object([
                    .init("prompt_tokens", .integer(Int64(usage.inputTokens))),
                    .init("completion_tokens", .integer(Int64(usage.outputTokens))),
                    .init("total_tokens", .integer(Int64(usage.inputTokens + usage.outputTokens))),
                ])),
        ])
    }
}

/// A job as a line of an Anthropic message batch's results.
package enum AnthropicBatchLine {
    package static func make(_ job: Job) -> JSONValue {
        .object([.init("custom_id", .string(job.customID ?? "\(job.id)")), .init("result", .object(result(job)))])
    }

    private static func result(_ job: Job) -> [JSONValue.Member] {
        if let result = job.result { return [.init("type", "succeeded"), .init("message", message(job, result))] }
        let last = job.errors.last
        if job.state == .cancelled { return [.init("type", "canceled")] }
        if last?.failure == .expired { return [.init("type", "expired")] }
        let error = JSONValue.object([
            .init("type", .string(errorType(last?.failure))), .init("message", .string(last?.message ?? "job is \(job.state.rawValue)")),
        ])
        return [
            .init("type", "errored"),
            .init("error", .object([.init("type", "error"), .init("error", error), .init("request_id", .null)])),
        ]
    }

    private static func errorType(_ failure: FailureClass?) -> String {
        switch failure {
        case .permanent, .refused: "invalid_request_error"
        case .authentication: "authentication_error"
        case .rateLimited: "rate_limit_error"
        case .overloaded: "overloaded_error"
        case .timedOut: "timeout_error"
        case .quotaExhausted: "billing_error"
        default: "api_error"
        }
    }

    private static func message(_ job: Job, _ result: JobResult) -> JSONValue {
        .object([
            .init("id", .string("msg_\(job.id)")), .init("type", "message"), .init("role", "assistant"),
            .init("model", result.reply["model"] ?? .string(job.target.model)), .init("content", .array(content(result))),
            .init("stop_reason", .string(stopReason(result.reply["finish_reason"]?.string))), .init("stop_sequence", .null),
            .init("usage", JobJSON.usage(result.usage)),
        ])
    }

    /// Text and tool calls as separate blocks. Tool arguments are a string in the stored reply and an object here.
    private static func content(_ result: JobResult) -> [JSONValue] {
        var blocks: [JSONValue] = []
        if let text = result.reply["text"], text.string?.isEmpty == false {
            blocks.append(.object([.init("type", "text"), .init("text", text)]))
        }
        for call in result.reply["tool_calls"]?.array ?? [] {
            let function = call["function"]
            // A model wrote them: what is not JSON, though it was paid for, is kept as the text that it is.
            let text = function?["arguments"]?.string ?? ""
            let arguments = text.isEmpty ? .object([]) : (try? JSONValue.parseLeniently(text)) ?? .string(text)
            blocks.append(
                .object([
                    .init("type", "tool_use"), .init("id", call["id"] ?? .null), .init("name", function?["name"] ?? .null),
                    .init("input", arguments),
                ]))
        }
        return blocks
    }

    private static func stopReason(_ finishReason: String?) -> String {
        switch finishReason {
        case "length": "max_tokens"
        case "tool_calls": "tool_use"
        case "content_filter": "refusal"
        default: "end_turn"
        }
    }
}
