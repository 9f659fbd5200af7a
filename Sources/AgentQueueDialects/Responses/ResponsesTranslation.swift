import AgentQueueModel

/// Translates the body of a request to OpenAI's Responses API to that of a chat, the form in which requests are stored. Every kind of
/// provider can then answer it.
package struct ResponsesTranslation {
    /// What becomes of what changes the answer and has no counterpart in a chat.
    enum Loss {
        /// It is refused.
        case refused
        /// Members are left out and named; the rest is refused.
        case dropped
        /// It is left out and named.
        case noted
    }

    /// The names of what was left out and changes the answer.
    private(set) var lost: [String] = []
    /// Whether a chat says all that the request says.
    private(set) var isExact = true
    private let loss: Loss

    init(_ loss: Loss) {
        self.loss = loss
    }

    /// The members of the chat.
    /// - Throws: `RequestError` for what changes the answer and has no counterpart in a chat.
    package static func chat(_ body: [JSONValue.Member]) throws(RequestError) -> [JSONValue.Member] {
        var translation = ResponsesTranslation(.refused)
        return try translation.chat(body)
    }

    /// The members of the chat.
    /// - Throws: `RequestError`.
    mutating func chat(_ body: [JSONValue.Member]) throws(RequestError) -> [JSONValue.Member] {
        var chat: [JSONValue.Member] = []
        var instructions: [JSONValue] = []
        var messages: [JSONValue]?
        for member in body where !member.value.isNull {
            switch member.key {
            case "instructions":
                try MemberType.string.check(member.value, member.key)
                instructions = [["role": "system", "content": member.value]]
            case "input": messages = try self.messages(member.value)
            case "max_output_tokens": chat.append(.init("max_completion_tokens", member.value))
            case "reasoning": chat += try reasoning(member.value)
            case "text": chat += try text(member.value)
            case "tools":
                let tools = try tools(member.value)
                // A list that is empty because its tools were left out is refused by servers.
                if !tools.isEmpty || lost.isEmpty { chat.append(.init("tools", .array(tools))) }
            case "tool_choice": chat.append(.init("tool_choice", Self.nested(member.value, in: "function")))
            case "top_logprobs": chat += [.init("logprobs", true), member]
            // They say what else the response holds or how it is kept, and change no answer.
            case "include": isExact = false
            case "store", "background": break
            case "truncation" where member.value == "disabled": break
            // A chat's names for what a response calls otherwise: beside that they would stand there twice.
            case "messages", "max_completion_tokens", "response_format", "reasoning_effort", "verbosity", "logprobs":
                try lose(InvalidText.quoted(member.key), member.key, isMember: true)
            case "previous_response_id", "conversation", "prompt", "truncation", "max_tool_calls", "context_management":
                try lose(InvalidText.quoted(member.key), member.key, isMember: true)
            default: chat.append(member)
            }
        }
        if messages == nil, lost.isEmpty { throw RequestError("the body needs input", param: "input") }
        return chat + [.init("messages", .array(instructions + (messages ?? [])))]
    }

    private mutating func lose(_ what: String, _ param: String, isMember: Bool = false) throws(RequestError) {
        isExact = false
        switch loss {
        case .dropped where isMember, .noted:
            if !lost.contains(param) { lost.append(param) }
        default:
            throw RequestError(
                "\(what) of a Responses request has no counterpart in a chat: take it out", code: "unsupported_parameter", param: param)
        }
    }

    private mutating func reasoning(_ value: JSONValue) throws(RequestError) -> [JSONValue.Member] {
        try MemberType.object.check(value, "reasoning")
        var chat: [JSONValue.Member] = []
        for part in value.given {
            switch part.key {
            case "effort": chat.append(.init("reasoning_effort", part.value))
            // Only what is told of the thoughts, beside the answer.
            case "summary", "generate_summary": isExact = false
            default: try lose(InvalidText.quoted("reasoning.\(part.key)"), "reasoning.\(part.key)", isMember: true)
            }
        }
        return chat
    }

    private mutating func text(_ value: JSONValue) throws(RequestError) -> [JSONValue.Member] {
        try MemberType.object.check(value, "text")
        var chat: [JSONValue.Member] = []
        for part in value.given {
            switch part.key {
            case "verbosity": chat.append(part)
            case "format" where part.value["type"]?.string == "text": break
            case "format": chat.append(.init("response_format", Self.nested(part.value, in: "json_schema")))
            default: try lose(InvalidText.quoted("text.\(part.key)"), "text.\(part.key)", isMember: true)
            }
        }
        return chat
    }

    private mutating func tools(_ value: JSONValue) throws(RequestError) -> [JSONValue] {
        try MemberType.list.check(value, "tools")
        var tools: [JSONValue] = []
        for (index, tool) in (value.array ?? []).enumerated() {
            guard let type = tool["type"]?.string, type == "function" || type == "custom" else {
                try lose("the tool \(InvalidText.quoted(tool["type"]?.string ?? tool.kindName))", "tools[\(index)]", isMember: true)
                continue
            }
            tools.append(Self.nested(tool, in: type))
        }
        return tools
    }

    /// A member's name in a request, by its name in a chat.
    static func name(of member: String) -> String {
        switch member {
        case "messages": "input"
        case "max_completion_tokens": "max_output_tokens"
        case "response_format": "text.format"
        case "reasoning_effort": "reasoning.effort"
        case "verbosity": "text.verbosity"
        default: member
        }
    }

    /// What stands beside the type in a response's form is nested under the type's name in a chat's.
    private static func nested(_ value: JSONValue, in type: String) -> JSONValue {
        guard value["type"]?.string == type, value[type] == nil, let members = value.members else { return value }
        return .object([.init("type", .string(type)), .init(type, .object(members.filter { $0.key != "type" }))])
    }
}

/// Items of `input` as messages.
extension ResponsesTranslation {
    private mutating func messages(_ input: JSONValue) throws(RequestError) -> [JSONValue] {
        if input.string != nil { return [["role": "user", "content": input]] }
        try MemberType.list.check(input, "input")
        var messages: [JSONValue] = []
        for (index, item) in (input.array ?? []).enumerated() {
            let place = "input[\(index)]"
            switch item["type"]?.string ?? "message" {
            case "message":
                guard let role = item["role"] else { throw RequestError("an item of input needs a role", param: "\(place).role") }
                let content = try content(item["content"] ?? .null, "\(place).content")
                messages.append(.object([.init("role", role), .init("content", content)]))
            case "function_call": Self.add(Self.call(item, "function", "arguments"), to: &messages)
            case "custom_tool_call" where item["input"] != nil: Self.add(Self.call(item, "custom", "input"), to: &messages)
            case "function_call_output", "custom_tool_call_output":
                let content = try content(item["output"] ?? "", "\(place).output")
                messages.append(
                    .object([.init("role", "tool"), .init("tool_call_id", item["call_id"] ?? .null), .init("content", content)]))
            // Thoughts of an earlier turn, which only the model that had them can read.
            case "reasoning": isExact = false
            case let type: try lose("the item \(InvalidText.quoted(type))", place)
            }
        }
        return messages
    }

    private static func call(_ item: JSONValue, _ type: String, _ payload: String) -> JSONValue {
        let called: JSONValue = .object([.init("name", item["name"] ?? .null), .init(payload, item[payload] ?? "{}")])
        return .object([.init("id", item["call_id"] ?? .null), .init("type", .string(type)), .init(type, called)])
    }

    /// Calls that follow each other are one message of the assistant.
    private static func add(_ call: JSONValue, to messages: inout [JSONValue]) {
        let earlier = messages.last.flatMap { $0["role"] == "assistant" ? $0 : nil }
        let calls = (earlier?["tool_calls"]?.array ?? []) + [call]
        if earlier != nil { messages.removeLast() }
        messages.append(
            .object([.init("role", "assistant"), .init("content", earlier?["content"] ?? .null), .init("tool_calls", .array(calls))]))
    }

    private mutating func content(_ content: JSONValue, _ place: String) throws(RequestError) -> JSONValue {
        guard let parts = content.array else { return content }
        var translated: [JSONValue] = []
        for (index, part) in parts.enumerated() {
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
            case let type: try lose("the content part \(InvalidText.quoted(type ?? part.kindName))", "\(place)[\(index)]")
            }
        }
        return .array(translated)
    }
}
