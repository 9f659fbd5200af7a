import JobModel
import ModelCalls

/// Turns what a request has in Anthropic's form into OpenAI's, and leaves what is in OpenAI's as it is (protocols.md 4.6).
enum AnthropicForm {
    /// Something that would change the answer, and that OpenAI's API cannot say.
    static func noCounterpart(_ what: String) -> ModelFailure {
        ModelFailure.unsent("\(what) has no counterpart in OpenAI's API: take it out, or send the job to Anthropic")
    }

    /// `system`: a text, or text blocks, which become parts; nil where it is empty.
    static func system(_ value: JSONValue) throws(ModelFailure) -> JSONValue? {
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
    static func tools(_ value: JSONValue) throws(ModelFailure) -> JSONValue {
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

    /// Whether a tool's type ends with a date, as those do that Anthropic runs: `web_search_20250305`.
    private static func isDated(_ type: String) -> Bool {
        let digits = type.utf8.reversed().prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return digits.count == 8 && type.utf8.dropLast(8).last == UInt8(ascii: "_")
    }

    /// `tool_choice`, and whether several tools may be called at once.
    static func toolChoice(_ value: JSONValue) -> (choice: JSONValue, isParallel: Bool) {
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
