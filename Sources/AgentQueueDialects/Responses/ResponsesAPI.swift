import AgentQueueModel

/// A chat request in the form of the responses API.
package struct ResponsesRequest: Sendable, Equatable {
    private var members: [JSONValue.Member]
    private var text: [JSONValue.Member] = []

    /// Translates a request.
    /// - Throws: `ModelFailure` (`permanent`) if something that changes the answer has no counterpart.
    package init(_ chat: ChatRequest) throws(ModelFailure) {
        members = [.init("model", .string(chat.model))]
        for member in chat.members where !member.value.isNull { try take(member) }
        if !text.isEmpty { members.append(.init("text", .object(text))) }
        // Unlike a chat, a response is kept for a month by default.
        if chat["store"] == nil { members.append(.init("store", false)) }
    }

    /// The body to send to `/responses`.
    package func body(streams: Bool) -> JSONValue {
        .object(members + (streams ? [.init("stream", true)] : []))
    }

    package static func noCounterpart(_ what: String) -> ModelFailure {
        ModelFailure.unsent("\(what) has no counterpart in the responses API, the only one that this model answers: take it out")
    }

    private mutating func take(_ member: JSONValue.Member) throws(ModelFailure) {
        switch member.key {
        case "messages": members += try Self.input(member.value)
        case "max_tokens", "max_completion_tokens":
            if !members.contains(where: { $0.key == "max_output_tokens" }) { members.append(.init("max_output_tokens", member.value)) }
        case "reasoning_effort": members.append(.init("reasoning", ["effort": member.value]))
        case "verbosity": text.append(member)
        case "response_format": text.append(.init("format", Self.flat(member.value, "json_schema")))
        case "tools":
            members.append(.init("tools", .array((member.value.array ?? []).map(Self.tool))))
        case "tool_choice":
            members.append(.init("tool_choice", Self.flat(Self.flat(member.value, "function"), "custom")))
        case "n" where member.value == 1: break
        case "presence_penalty" where member.value.number == 0, "frequency_penalty" where member.value.number == 0: break
        case "logprobs" where member.value == false: break
        case "n", "stop", "seed", "logit_bias", "logprobs", "presence_penalty", "frequency_penalty", "audio", "modalities", "prediction",
            "functions", "function_call", "web_search_options":
            throw Self.noCounterpart("'\(member.key)'")
        default: members.append(member)
        }
    }

    /// What a chat nests under the name of the type is at the top level here.
    private static func flat(_ value: JSONValue, _ name: String) -> JSONValue {
        guard let inner = value[name]?.members, let outer = value.members else { return value }
        return .object(outer.filter { $0.key != name } + inner)
    }

    private static func tool(_ tool: JSONValue) -> JSONValue {
        let flat = flat(flat(tool, "function"), "custom")
        // A response is strict by default, a chat is not.
        guard tool["function"] != nil, flat["strict"] == nil, let members = flat.members else { return flat }
        return .object(members + [.init("strict", false)])
    }
}

extension ResponsesRequest {
    /// `instructions` and `input`: the system texts that come first, and an item for each message and tool call.
    package static func input(_ messages: JSONValue) throws(ModelFailure) -> [JSONValue.Member] {
        guard let list = messages.array else { return [.init("input", messages)] }
        let leading = list.prefix { isInstruction($0) }
        let instructions = leading.compactMap { OpenAIReply.text($0["content"]) }.joined(separator: "\n\n")
        var items: [JSONValue] = []
        for message in list.dropFirst(leading.count) { items += try self.items(message) }
        return (instructions.isEmpty ? [] : [.init("instructions", .string(instructions))]) + [.init("input", .array(items))]
    }

    private static func isInstruction(_ message: JSONValue) -> Bool {
        message["role"] == "system" || message["role"] == "developer"
    }

    private static func items(_ message: JSONValue) throws(ModelFailure) -> [JSONValue] {
        let content = message["content"] ?? .null
        if message["role"] == "tool" {
            let output = OpenAIReply.text(content) ?? ""
            return [["type": "function_call_output", "call_id": message["tool_call_id"] ?? .null, "output": .string(output)]]
        }
        let isAnswer = message["role"] == "assistant"
        var items: [JSONValue] = []
        if let parts = content.array {
            var translated: [JSONValue] = []
            for part in parts { translated.append(try self.part(part, isAnswer: isAnswer)) }
            if !parts.isEmpty { items.append(["role": message["role"] ?? "user", "content": .array(translated)]) }
        } else if !content.isNull, !(isAnswer && content == "") {
            items.append(["role": message["role"] ?? "user", "content": content])
        }
        for call in message["tool_calls"]?.array ?? [] {
            let id = JSONValue.Member("call_id", call["id"] ?? .null)
            if let custom = call["custom"] {
                items.append(.object([.init("type", "custom_tool_call"), id] + (custom.members ?? [])))
            } else {
                items.append(.object([.init("type", "function_call"), id] + (call["function"]?.members ?? [])))
            }
        }
        guard message["function_call"] == nil else { throw noCounterpart("'function_call'") }
        return items
    }

    private static func part(_ part: JSONValue, isAnswer: Bool) throws(ModelFailure) -> JSONValue {
        switch part["type"]?.string {
        case "text": return ["type": isAnswer ? "output_text" : "input_text", "text": part["text"] ?? ""]
        case "refusal": return part
        case "image_url":
            let image = part["image_url"] ?? .null
            let detail = image["detail"].map { [JSONValue.Member("detail", $0)] } ?? []
            return .object([.init("type", "input_image"), .init("image_url", image["url"] ?? image)] + detail)
        case "file": return .object([.init("type", "input_file")] + (part["file"]?.members ?? []))
        case let type?: throw noCounterpart("a content part '\(Redaction.line(type, maxBytes: 64))'")
        case nil: return part
        }
    }
}

/// Reads answers of the responses API.
package enum ResponsesReply {
    /// A response as a chat completion, so that the same code reads both.
    /// - Throws: `ModelFailure` (`invalidReply`); its message is the end of a sentence. The answer was charged.
    package static func chat(_ body: JSONValue) throws(ModelFailure) -> JSONValue {
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

    static func finishReason(_ body: JSONValue, hasCalls: Bool) throws(ModelFailure) -> String? {
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
