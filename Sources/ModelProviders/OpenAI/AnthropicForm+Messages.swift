import JobModel
import ModelCalls

extension AnthropicForm {
    /// Messages whose content is blocks of Anthropic's: calls of tools become `tool_calls`, their results messages of their own.
    static func messages(_ value: JSONValue) throws(ModelFailure) -> JSONValue {
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
            // Of earlier turns, and of no use to another model: only the one that wrote it can read it.
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

    /// Servers want an assistant's content as one text where it can be one.
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
            // A tool's message holds nothing but text: images go into the user's behind it.
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

    /// A content block as a content part; one that is in OpenAI's form already stays as it is.
    static func part(_ block: JSONValue) throws(ModelFailure) -> JSONValue {
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
