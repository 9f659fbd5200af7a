import JobModel
import ModelCalls

extension AnthropicTranslation {
    /// Takes the messages: system ones become system text, tools' results parts of the user's turns, and messages of one role in a
    /// row one turn.
    mutating func takeMessages(_ value: JSONValue) throws(ModelFailure) {
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

    /// Of an earlier answer, `reasoning` is left out: without the signature it came with, the API does not take it back.
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
        // OpenAI's APIs send an empty text beside calls; Anthropic's refuses one.
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

    /// A mark at the message is one at its last block.
    private static func marked(_ blocks: [JSONValue], as message: JSONValue) -> [JSONValue] {
        guard let mark = message["cache_control"], !mark.isNull else { return blocks }
        return blocks.dropLast() + blocks.suffix(1).map { $0.marked(mark) }
    }
}
