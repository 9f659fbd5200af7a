import JobModel
import ModelCalls

extension ResponsesRequest {
    /// `instructions` and `input`: the system's texts that come first, and an item for each message and call of a tool.
    static func input(_ messages: JSONValue) throws(ModelFailure) -> [JSONValue.Member] {
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
