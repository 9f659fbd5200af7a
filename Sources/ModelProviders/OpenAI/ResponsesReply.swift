import JobModel
import ModelCalls

/// Reads the responses API's answers.
enum ResponsesReply {
    /// A response as a chat completion, so that one reader serves both.
    /// - Throws: `ModelFailure` (`invalidReply`), its message the end of a sentence; it was charged for.
    static func chat(_ body: JSONValue) throws(ModelFailure) -> JSONValue {
        guard let output = body["output"]?.array else {
            throw ModelFailure(.invalidReply, "answered without any output", usage: OpenAIReply.usage(body["usage"]), calls: 1)
        }
        var texts: [String] = []
        var refusals: [String] = []
        var thoughts: [String] = []
        var calls: [JSONValue] = []
        for item in output {
            switch item["type"]?.string {
            case "message":
                for part in item["content"]?.array ?? [] {
                    if part["type"] == "refusal" { refusals.append(part["refusal"]?.string ?? "") }
                    if part["type"] == "output_text" { texts.append(part["text"]?.string ?? "") }
                }
            case "reasoning":
                for part in (item["summary"]?.array ?? []) + (item["content"]?.array ?? []) {
                    if let text = part["text"]?.string { thoughts.append(text) }
                }
            case "function_call": calls.append(call(item, "function", ["name", "arguments"]))
            case "custom_tool_call": calls.append(call(item, "custom", ["name", "input"]))
            default: break
            }
        }
        var message: [JSONValue.Member] = [.init("content", texts.isEmpty ? .null : .string(texts.joined()))]
        if !refusals.isEmpty { message.append(.init("refusal", .string(refusals.joined()))) }
        if !thoughts.isEmpty { message.append(.init("reasoning", .string(thoughts.joined(separator: "\n\n")))) }
        if !calls.isEmpty { message.append(.init("tool_calls", .array(calls))) }
        let choice: JSONValue = [
            "message": .object(message), "finish_reason": try finishReason(body, hasCalls: !calls.isEmpty).map { .string($0) } ?? .null,
        ]
        return ["id": body["id"] ?? .null, "model": body["model"] ?? .null, "choices": [choice], "usage": body["usage"] ?? .null]
    }

    private static func call(_ item: JSONValue, _ type: String, _ keys: [String]) -> JSONValue {
        let payload = keys.compactMap { key in item[key].map { JSONValue.Member(key, $0) } }
        return .object([
            .init("id", item["call_id"] ?? item["id"] ?? .null), .init("type", .string(type)), .init(type, .object(payload)),
        ])
    }

    private static func finishReason(_ body: JSONValue, hasCalls: Bool) throws(ModelFailure) -> String? {
        switch body["status"]?.string {
        case "completed", nil: return hasCalls ? "tool_calls" : "stop"
        case "incomplete":
            let reason = body["incomplete_details"]?["reason"]?.string
            return reason == "max_output_tokens" ? "length" : reason ?? "incomplete"
        default:
            throw ModelFailure(
                .invalidReply, "answered with a response that has not ended", usage: OpenAIReply.usage(body["usage"]), calls: 1)
        }
    }
}
