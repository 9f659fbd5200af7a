import JobModel

/// A job as a line of an OpenAI batch's output or error file.
enum OpenAIBatchLine {
    static func make(_ job: Job) -> JSONValue {
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
