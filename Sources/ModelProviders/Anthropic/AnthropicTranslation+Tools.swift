import JobModel
import ModelCalls

extension AnthropicTranslation {
    mutating func takeTools(_ value: JSONValue) throws(ModelFailure) {
        guard let list = value.array else { throw Self.refused("tools must be a list, not \(value.kindName)") }
        for (index, tool) in list.enumerated() { tools.append(try Self.tool(tool, "tools[\(index)]")) }
    }

    /// OpenAI's `{type: function, function: {name, parameters, …}}` becomes `{name, input_schema, …}`; Anthropic's own forms pass.
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

    /// OpenAI's word or `{type: function, …}` in Anthropic's form; Anthropic's own passes.
    static func toolChoice(_ choice: JSONValue) throws(ModelFailure) -> JSONValue {
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
