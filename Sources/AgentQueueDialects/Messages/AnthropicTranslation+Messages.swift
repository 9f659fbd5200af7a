import AgentQueueModel

extension AnthropicTranslation {
    /// Takes the messages. System messages become system text, results of tools become parts of the user's turns, and consecutive messages
    /// of one role become one turn.
    package mutating func takeMessages(_ value: JSONValue) throws(ModelFailure) {
        guard let messages = value.array else { throw Self.refused("messages must be a list, not \(value.kindName)") }
        for (index, message) in messages.enumerated() { try takeMessage(message, "messages[\(index)]") }
    }

    private mutating func takeMessage(_ message: JSONValue, _ place: String) throws(ModelFailure) {
        guard let members = message.members, let role = message["role"]?.string else {
            throw Self.refused("\(place) must be an object with a role")
        }
        for member in members where !member.value.isNull {
            guard Self.hasCounterpart(member, role) else {
                throw Self.refused("\(place) has \(Self.quoted(member.key)), which has no counterpart at Anthropic")
            }
        }
        let content = message["content"] ?? .null
        switch role {
        case "system", "developer":
            systemMessages += Self.marked(try Self.systemBlocks(content, place), as: message)
        case "user": add(Self.marked(try Self.blocks(content, place), as: message), by: "user")
        case "assistant": add(Self.marked(try Self.assistantBlocks(message, place), as: message), by: "assistant")
        case "tool": add(Self.marked([try Self.toolResult(message, place)], as: message), by: "user")
        default: throw Self.refused("\(place) has the role \(Self.quoted(role)), which Anthropic does not know")
        }
    }

    private mutating func add(_ blocks: [JSONValue], by role: String) {
        if let last = turns.indices.last, turns[last].role == role {
            turns[last].blocks += blocks
        } else {
            turns.append(Turn(role: role, blocks: blocks))
        }
    }

    /// The `reasoning` of an earlier answer is left out: the API does not accept it without the signature it came with.
    private static func hasCounterpart(_ member: JSONValue.Member, _ role: String) -> Bool {
        switch member.key {
        case "role", "content", "cache_control": true
        case "tool_calls", "refusal", "reasoning", "reasoning_content": role == "assistant"
        case "annotations": role == "assistant" && member.value == []
        case "tool_call_id", "name", "is_error": role == "tool"
        default: false
        }
    }

    private static func assistantBlocks(_ message: JSONValue, _ place: String) throws(ModelFailure) -> [JSONValue] {
        let calls = message["tool_calls"]?.array ?? []
        var blocks: [JSONValue] = []
        if let content = message["content"], !content.isNull {
            blocks = try Self.blocks(content, place)
        } else if let refusal = message["refusal"]?.string {
            blocks = [textBlock(refusal)]
        } else if calls.isEmpty {
            throw refused("\(place) holds neither content nor tool_calls")
        }
        // OpenAI's APIs send an empty text with tool calls, which Anthropic's refuses.
        if !calls.isEmpty { blocks.removeAll { $0["type"]?.string == "text" && $0["text"]?.string == "" } }
        for call in calls { blocks.append(try toolUse(call, place)) }
        return blocks
    }

    private static func toolUse(_ call: JSONValue, _ place: String) throws(ModelFailure) -> JSONValue {
        guard let id = call["id"], let function = call["function"], let name = function["name"] else {
            throw refused("\(place) has a tool call without id or function")
        }
        let input: JSONValue?
        switch function["arguments"] {
        case nil, .null, .string(""): input = .object([])
        case .string(let text): input = try? JSONValue.parse(text)
        case let value: input = value
        }
        guard let input, input.members != nil else { throw refused("\(place) has a tool call whose arguments are no JSON object") }
        return .object([.init("type", "tool_use"), .init("id", id), .init("name", name), .init("input", input)])
    }

    private static func toolResult(_ message: JSONValue, _ place: String) throws(ModelFailure) -> JSONValue {
        guard let id = message["tool_call_id"], id.string != nil else { throw refused("\(place) has no tool_call_id") }
        var members: [JSONValue.Member] = [.init("type", "tool_result"), .init("tool_use_id", id)]
        switch message["content"] {
        case .string(let text): members.append(.init("content", .string(text)))
        case .some(let content) where !content.isNull: members.append(.init("content", .array(try blocks(content, place))))
        default: break
        }
        if let isError = message["is_error"] { members.append(.init("is_error", isError)) }
        return .object(members)
    }

    /// A cache mark on the message is moved to its last block.
    private static func marked(_ blocks: [JSONValue], as message: JSONValue) -> [JSONValue] {
        guard let mark = message["cache_control"], !mark.isNull else { return blocks }
        return blocks.dropLast() + blocks.suffix(1).map { $0.marked(mark) }
    }
}

extension AnthropicTranslation {
    package static func textBlock(_ text: String) -> JSONValue { .object([.init("type", "text"), .init("text", .string(text))]) }

    /// A message's content as blocks. Anthropic's own form passes unchanged, with its cache marks.
    /// - Parameter place: its place in the request, such as `messages[3]`.
    package static func blocks(_ content: JSONValue, _ place: String) throws(ModelFailure) -> [JSONValue] {
        switch content {
        case .string(let text): return [textBlock(text)]
        case .array(let parts):
            var blocks: [JSONValue] = []
            for part in parts { blocks.append(try block(part, place)) }
            return blocks
        default: throw refused("\(place) has content that is \(content.kindName), not a string or a list of parts")
        }
    }

    /// System text as blocks. An empty text, which Anthropic's API refuses, becomes none.
    package static func systemBlocks(_ content: JSONValue, _ place: String) throws(ModelFailure) -> [JSONValue] {
        let blocks = try blocks(content, place)
        guard blocks.allSatisfy({ $0["type"]?.string == "text" && $0["text"]?.string != nil }) else {
            throw refused("\(place) holds more than text, which Anthropic takes from users alone")
        }
        return blocks.filter { $0["text"]?.string != "" }
    }

    private static func block(_ part: JSONValue, _ place: String) throws(ModelFailure) -> JSONValue {
        if case .string(let text) = part { return textBlock(text) }
        guard let type = part["type"]?.string else { throw refused("\(place) has a part of content without a type") }
        switch type {
        case "image_url":
            guard let image = part["image_url"], let url = image.string ?? image["url"]?.string else {
                throw refused("\(place) has an image_url without a url")
            }
            guard image["detail"]?.string != "low" else {
                throw refused("\(place) has an image of low detail, which has no counterpart at Anthropic: send a smaller one")
            }
            return carried(.object([.init("type", "image"), .init("source", try source(url, place))]), part)
        case "file" where part["file"] != nil:
            return carried(try document(part["file"] ?? .null, place), part)
        case "refusal" where part["refusal"]?.string != nil:
            return carried(textBlock(part["refusal"]?.string ?? ""), part)
        case "input_audio": throw refused("\(place) holds audio, which has no counterpart at Anthropic")
        default: return part
        }
    }

    /// A cache mark stays with its part.
    private static func carried(_ block: JSONValue, _ part: JSONValue) -> JSONValue {
        guard let mark = part["cache_control"], !mark.isNull else { return block }
        return block.marked(mark)
    }

    private static func document(_ file: JSONValue, _ place: String) throws(ModelFailure) -> JSONValue {
        let origin: JSONValue
        if let data = file["file_data"]?.string {
            origin = try source(data, place)
        } else if let id = file["file_id"], id.string != nil {
            origin = .object([.init("type", "file"), .init("file_id", id)])
        } else {
            throw refused("\(place) has a file without file_data or file_id")
        }
        let title = file["filename"].map { [JSONValue.Member("title", $0)] } ?? []
        return .object([.init("type", "document"), .init("source", origin)] + title)
    }

    /// The source of an image or document: inside the URL (`data:…;base64,…`), or at it.
    private static func source(_ url: String, _ place: String) throws(ModelFailure) -> JSONValue {
        let scheme = url.prefix { $0 != ":" }.lowercased()
        switch scheme {
        case "http", "https": return .object([.init("type", "url"), .init("url", .string(url))])
        case "data":
            let rest = url.dropFirst("data:".count)
            let comma = rest.firstIndex(of: ",") ?? rest.startIndex
            let head = rest[..<comma].split(separator: ";", omittingEmptySubsequences: false)
            guard let type = head.first, !type.isEmpty, head.last?.lowercased() == "base64", head.count > 1 else {
                throw refused("\(place) has a data URL that is not of the form data:TYPE;base64,DATA")
            }
            let data = rest[comma...].dropFirst()
            return .object([
                .init("type", "base64"), .init("media_type", .string(type.lowercased())), .init("data", .string(String(data))),
            ])
        default: throw refused("\(place) has a URL that is neither http, https nor data")
        }
    }
}

extension AnthropicTranslation {
    package mutating func takeTools(_ value: JSONValue) throws(ModelFailure) {
        guard let list = value.array else { throw Self.refused("tools must be a list, not \(value.kindName)") }
        for (index, tool) in list.enumerated() { tools.append(try Self.tool(tool, "tools[\(index)]")) }
    }

    /// OpenAI's `{type: function, function: {name, parameters, …}}` becomes `{name, input_schema, …}`. Anthropic's own forms pass
    /// unchanged.
    private static func tool(_ tool: JSONValue, _ place: String) throws(ModelFailure) -> JSONValue {
        guard tool["custom"] == nil else { throw refused("\(place) is a custom tool of OpenAI's, which has no counterpart at Anthropic") }
        guard tool["function"] != nil || tool["type"]?.string == "function" else { return tool }
        guard let function = (tool["function"] ?? tool).members else { throw refused("\(place).function must be an object") }
        var members: [JSONValue.Member] = []
        var schema = JSONValue.object([.init("type", "object"), .init("properties", .object([]))])
        for member in function where !member.value.isNull {
            switch member.key {
            case "type": break
            case "parameters": schema = member.value
            case "strict" where member.value == false: break
            default: members.append(member)
            }
        }
        members.append(.init("input_schema", schema))
        if tool["function"] != nil, let mark = tool["cache_control"], !mark.isNull { members.append(.init("cache_control", mark)) }
        return .object(members)
    }

    /// OpenAI's word or `{type: function, …}` in Anthropic's form. Anthropic's own form passes unchanged.
    package static func toolChoice(_ choice: JSONValue) throws(ModelFailure) -> JSONValue {
        switch choice.string {
        case "auto": return ["type": "auto"]
        case "none": return ["type": "none"]
        case "required", "any": return ["type": "any"]
        case .some(let word): throw refused("tool_choice \(quoted(word)) is none of auto, none and required")
        case nil: break
        }
        guard let type = choice["type"]?.string else { throw refused("tool_choice must be a word or an object with a type") }
        switch type {
        case "function":
            guard let name = choice["function"]?["name"] ?? choice["name"] else { throw refused("tool_choice names no function") }
            return .object([.init("type", "tool"), .init("name", name)])
        case "allowed_tools", "custom": throw refused("tool_choice \(type) has no counterpart at Anthropic")
        default: return choice
        }
    }
}
