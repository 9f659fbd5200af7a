import JobModel

/// A job as a line of an Anthropic message batch's results.
enum AnthropicBatchLine {
    static func make(_ job: Job) -> JSONValue {
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

    /// The text, and calls of tools as blocks of their own: their arguments are a text here and an object there.
    private static func content(_ result: JobResult) -> [JSONValue] {
        var blocks: [JSONValue] = []
        if let text = result.reply["text"], text.string?.isEmpty == false {
            blocks.append(.object([.init("type", "text"), .init("text", text)]))
        }
        for call in result.reply["tool_calls"]?.array ?? [] {
            let function = call["function"]
            let arguments = function?["arguments"]?.string.flatMap { try? JSONValue.parse($0) } ?? .object([])
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
