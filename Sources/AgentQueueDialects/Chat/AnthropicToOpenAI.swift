import AgentQueueModel

/// Translates what a request has in Anthropic's form to OpenAI's, and leaves OpenAI's own form as it is.
package enum AnthropicToOpenAI {
    /// The failure for something that would change the answer and that OpenAI's API cannot express.
    package static func noCounterpart(_ what: String) -> ModelFailure {
        ModelFailure.unsent("\(what) has no counterpart in OpenAI's API: take it out, or send the job to Anthropic")
    }

    /// `system`: a text, or text blocks, which become parts; nil if it is empty.
    package static func system(_ value: JSONValue) throws(ModelFailure) -> JSONValue? {
        switch value {
        case .null: return nil
        case .array(let blocks) where blocks.isEmpty: return nil
        case .array(let blocks):
            var parts: [JSONValue] = []
            for block in blocks { parts.append(try part(block)) }
            return .array(parts)
        default: return value
        }
    }

    /// `tools`: those with an `input_schema` become functions.
    package static func tools(_ value: JSONValue) throws(ModelFailure) -> JSONValue {
        guard let tools = value.array else { return value }
        var translated: [JSONValue] = []
        for tool in tools {
            guard let name = tool["name"], tool["function"] == nil, let schema = tool["input_schema"] else {
                if let type = tool["type"]?.string, tool["name"] != nil, isDated(type) {
                    throw noCounterpart("the tool '\(Redaction.line(type, maxBytes: 64))', which Anthropic's servers run,")
                }
                translated.append(tool)
                continue
            }
            var function: [JSONValue.Member] = [.init("name", name)]
            if let description = tool["description"] { function.append(.init("description", description)) }
            function.append(.init("parameters", schema))
            if let strict = tool["strict"] { function.append(.init("strict", strict)) }
            translated.append(["type": "function", "function": .object(function)])
        }
        return .array(translated)
    }

    /// Whether a tool's type ends with a date, as the types of tools that Anthropic runs do: `web_search_20250305`.
    private static func isDated(_ type: String) -> Bool {
        let digits = type.utf8.reversed().prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return digits.count == 8 && type.utf8.dropLast(8).last == UInt8(ascii: "_")
    }

    /// `tool_choice`, and whether several tools may be called at once.
    package static func toolChoice(_ value: JSONValue) -> (choice: JSONValue, isParallel: Bool) {
        let isParallel = value["disable_parallel_tool_use"]?.bool != true
        switch value["type"]?.string {
        case "auto": return ("auto", isParallel)
        case "any": return ("required", isParallel)
        case "none": return ("none", isParallel)
        case "tool": return (["type": "function", "function": ["name": value["name"] ?? .null]], isParallel)
        default: return (value, true)
        }
    }
}

extension AnthropicToOpenAI {
    /// Messages with Anthropic's content blocks: calls of tools become `tool_calls`, their results separate messages.
    package static func messages(_ value: JSONValue) throws(ModelFailure) -> JSONValue {
        guard let messages = value.array else { return value }
        var translated: [JSONValue] = []
        for message in messages {
            guard let blocks = message["content"]?.array, blocks.contains(where: isOurs) else {
                translated.append(message)
                continue
            }
            if message["role"] == "assistant" {
                translated.append(try assistant(message, blocks))
            } else {
                try append(message, blocks, to: &translated)
            }
        }
        return .array(translated)
    }

    /// Whether a content block is in Anthropic's form.
    private static func isOurs(_ block: JSONValue) -> Bool {
        switch block["type"]?.string {
        case "text": block["cache_control"] != nil || block["citations"] != nil
        case "image": block["source"] != nil
        case "document", "tool_use", "tool_result", "thinking", "redacted_thinking", "search_result", "server_tool_use", "container_upload":
            true
        case let type?: type.hasSuffix("_tool_result")
        case nil: false
        }
    }

    private static func assistant(_ message: JSONValue, _ blocks: [JSONValue]) throws(ModelFailure) -> JSONValue {
        var parts: [JSONValue] = []
        var calls: [JSONValue] = []
        for block in blocks {
            switch block["type"]?.string {
            // Thinking of an earlier turn, which only the model that wrote it can read.
            case "thinking", "redacted_thinking": break
            case "tool_use":
                let function: JSONValue = [
                    "name": block["name"] ?? .null, "arguments": .string((block["input"] ?? .object([])).text),
                ]
                calls.append(["id": block["id"] ?? .null, "type": "function", "function": function])
            default: parts.append(try part(block))
            }
        }
        calls = (message["tool_calls"]?.array ?? []) + calls
        var members = (message.members ?? []).filter { !["content", "tool_calls", "cache_control"].contains($0.key) }
        members.append(.init("content", parts.isEmpty && !calls.isEmpty ? .null : joined(parts)))
        if !calls.isEmpty { members.append(.init("tool_calls", .array(calls))) }
        return .object(members)
    }

    /// Servers want an assistant's content as a single text if possible.
    private static func joined(_ parts: [JSONValue]) -> JSONValue {
        let texts = parts.compactMap { $0["type"] == "text" ? $0["text"]?.string : nil }
        return texts.count == parts.count ? .string(texts.joined()) : .array(parts)
    }

    private static func append(_ message: JSONValue, _ blocks: [JSONValue], to messages: inout [JSONValue]) throws(ModelFailure) {
        var parts: [JSONValue] = []
        for block in blocks {
            guard block["type"] == "tool_result" else {
                parts.append(try part(block))
                continue
            }
            let (text, others) = try result(block["content"] ?? .null)
            messages.append(["role": "tool", "tool_call_id": block["tool_use_id"] ?? .null, "content": .string(text)])
            // A tool's message can only hold text, so images go into the user's message after it.
            parts += others
        }
        guard !parts.isEmpty else { return }
        let kept = (message.members ?? []).filter { !["content", "cache_control"].contains($0.key) }
        messages.append(.object(kept + [.init("content", .array(parts))]))
    }

    private static func result(_ content: JSONValue) throws(ModelFailure) -> (text: String, others: [JSONValue]) {
        guard let blocks = content.array else { return (content.string ?? (content.isNull ? "" : content.text), []) }
        var texts: [String] = []
        var others: [JSONValue] = []
        for block in blocks {
            let part = try part(block)
            if part["type"] == "text", let text = part["text"]?.string { texts.append(text) } else { others.append(part) }
        }
        return (texts.joined(separator: "\n"), others)
    }

    /// A content block as a content part. One in OpenAI's form is left as it is.
    package static func part(_ block: JSONValue) throws(ModelFailure) -> JSONValue {
        switch block["type"]?.string {
        case "text": return ["type": "text", "text": block["text"] ?? ""]
        case "image" where block["source"] != nil:
            return ["type": "image_url", "image_url": ["url": .string(try url(block["source"] ?? .null, of: "image"))]]
        case "document":
            let source = block["source"] ?? .null
            if source["type"] == "text" { return ["type": "text", "text": source["data"] ?? ""] }
            guard source["type"] == "base64" else { throw noCounterpart("a document that is not sent along") }
            let name = block["title"]?.string.map { .string($0) } ?? JSONValue("document.pdf")
            return ["type": "file", "file": ["filename": name, "file_data": .string(try url(source, of: "document"))]]
        case let type? where isOurs(block): throw noCounterpart("a content block '\(Redaction.line(type, maxBytes: 64))'")
        default: return block
        }
    }

    private static func url(_ source: JSONValue, of what: String) throws(ModelFailure) -> String {
        switch source["type"]?.string {
        case "base64": return "data:\(source["media_type"]?.string ?? "application/octet-stream");base64,\(source["data"]?.string ?? "")"
        case "url": return source["url"]?.string ?? ""
        default: throw noCounterpart("an \(what) that is kept at Anthropic")
        }
    }
}
