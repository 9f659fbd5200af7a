import AgentQueueModel

/// Translates the body of a request to OpenAI's Responses API to that of a chat, the form in which requests are stored. Every kind of
/// provider can then answer it.
enum ResponsesLine {
    /// The members of the chat.
    /// - Throws: `InputError` (`badData`) for what changes the answer and has no counterpart in a chat.
    static func chat(_ body: [JSONValue.Member]) throws(InputError) -> [JSONValue.Member] {
        var chat: [JSONValue.Member] = []
        var instructions: [JSONValue] = []
        var messages: [JSONValue]?
        for member in body where !member.value.isNull {
            switch member.key {
            case "instructions": instructions = [["role": "system", "content": .string(try member.requiredString())]]
            case "input": messages = try Self.messages(member)
            case "max_output_tokens": chat.append(.init("max_completion_tokens", member.value))
            case "reasoning": chat += try reasoning(member)
            case "text": chat += try text(member)
            case "tools": chat.append(.init("tools", .array(try tools(member))))
            case "tool_choice": chat.append(.init("tool_choice", nested(member.value, in: "function")))
            case "top_logprobs": chat += [.init("logprobs", true), member]
            // They say what else the response holds or how it is kept, and change no answer.
            case "include", "store", "background": break
            case "truncation" where member.value == "disabled": break
            case "previous_response_id", "conversation", "prompt", "truncation", "max_tool_calls", "context_management":
                throw noCounterpart(InvalidText.quoted(member.key))
            default: chat.append(member)
            }
        }
        guard let messages else { throw InputError("the body needs input", kind: .badData) }
        return chat + [.init("messages", .array(instructions + messages))]
    }

    private static func noCounterpart(_ what: String) -> InputError {
        InputError("\(what) of a Responses request has no counterpart in a chat: take it out", kind: .badData)
    }

    private static func reasoning(_ member: JSONValue.Member) throws(InputError) -> [JSONValue.Member] {
        var chat: [JSONValue.Member] = []
        for part in try member.requiredObject() where !part.value.isNull {
            switch part.key {
            case "effort": chat.append(.init("reasoning_effort", part.value))
            // Only what is told of the thoughts, beside the answer.
            case "summary", "generate_summary": break
            default: throw noCounterpart(InvalidText.quoted("reasoning.\(part.key)"))
            }
        }
        return chat
    }

    private static func text(_ member: JSONValue.Member) throws(InputError) -> [JSONValue.Member] {
        var chat: [JSONValue.Member] = []
        for part in try member.requiredObject() where !part.value.isNull {
            switch part.key {
            case "verbosity": chat.append(part)
            case "format" where part.value["type"]?.string == "text": break
            case "format": chat.append(.init("response_format", nested(part.value, in: "json_schema")))
            default: throw noCounterpart(InvalidText.quoted("text.\(part.key)"))
            }
        }
        return chat
    }

    private static func tools(_ member: JSONValue.Member) throws(InputError) -> [JSONValue] {
        var tools: [JSONValue] = []
        for tool in try member.requiredList() {
            guard let type = tool["type"]?.string, type == "function" || type == "custom" else {
                throw noCounterpart("the tool \(InvalidText.quoted(tool["type"]?.string ?? tool.kindName))")
            }
            tools.append(nested(tool, in: type))
        }
        return tools
    }

    /// What stands beside the type in a response's form is nested under the type's name in a chat's.
    private static func nested(_ value: JSONValue, in type: String) -> JSONValue {
        guard value["type"]?.string == type, value[type] == nil, let members = value.members else { return value }
        return .object([.init("type", .string(type)), .init(type, .object(members.filter { $0.key != "type" }))])
    }
}

/// Items of `input` as messages.
extension ResponsesLine {
    private static func messages(_ input: JSONValue.Member) throws(InputError) -> [JSONValue] {
        if let text = input.value.string { return [["role": "user", "content": .string(text)]] }
        var messages: [JSONValue] = []
        for item in try input.requiredList() {
            switch item["type"]?.string ?? "message" {
            case "message":
                guard item["role"] != nil else { throw InputError("an item of input needs a role", kind: .badData) }
                messages.append(.object([.init("role", item["role"] ?? "user"), .init("content", try content(item["content"] ?? .null))]))
            case "function_call":
                let call = JSONValue.object([
                    .init("id", item["call_id"] ?? .null), .init("type", "function"),
                    .init("function", .object([.init("name", item["name"] ?? .null), .init("arguments", item["arguments"] ?? "{}")])),
                ])
                add(call, to: &messages)
            case "function_call_output":
                messages.append(
                    .object([
                        .init("role", "tool"), .init("tool_call_id", item["call_id"] ?? .null),
                        .init("content", try content(item["output"] ?? "")),
                    ]))
            case let type: throw noCounterpart("the item \(InvalidText.quoted(type))")
            }
        }
        return messages
    }

    /// Calls that follow each other are one message of the assistant.
    private static func add(_ call: JSONValue, to messages: inout [JSONValue]) {
        let earlier = messages.last.flatMap { $0["role"] == "assistant" ? $0 : nil }
        let calls = (earlier?["tool_calls"]?.array ?? []) + [call]
        if earlier != nil { messages.removeLast() }
        messages.append(
            .object([.init("role", "assistant"), .init("content", earlier?["content"] ?? .null), .init("tool_calls", .array(calls))]))
    }

    private static func content(_ content: JSONValue) throws(InputError) -> JSONValue {
        guard let parts = content.array else { return content }
        var translated: [JSONValue] = []
        for part in parts {
            switch part["type"]?.string {
            case "input_text", "output_text", "text": translated.append(["type": "text", "text": part["text"] ?? ""])
            case "input_image" where part["image_url"] != nil:
                let detail = part["detail"].map { [JSONValue.Member("detail", $0)] } ?? []
                translated.append(
                    .object([
                        .init("type", "image_url"), .init("image_url", .object([.init("url", part["image_url"] ?? .null)] + detail)),
                    ]))
            case "input_file" where part["file_url"] == nil:
                translated.append(
                    .object([.init("type", "file"), .init("file", .object((part.members ?? []).filter { $0.key != "type" }))]))
            case "input_audio", "refusal": translated.append(part)
            case let type: throw noCounterpart("the content part \(InvalidText.quoted(type ?? part.kindName))")
            }
        }
        return .array(translated)
    }
}
