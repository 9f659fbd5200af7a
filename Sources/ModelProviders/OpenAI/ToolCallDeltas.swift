import JobModel

/// Puts calls of tools together from their pieces.
struct ToolCallDeltas: Sendable {
    private struct Call {
        var index: Int?
        var members: [JSONValue.Member] = []
        var function: [JSONValue.Member] = []
        /// Where the pieces of its arguments (or, of a custom tool, its input) are.
        var payload = "function"
        var argumentsKey = "arguments"
        var arguments = ""
        var hasArguments = false
    }

    private var calls: [Call] = []
    /// More calls than any model makes at once; what is beyond is dropped.
    private static let maxCalls = 4_096

    /// Takes a piece: it belongs to the call of its `index`; without one, to the last call, unless its `id` is a new one.
    mutating func take(_ delta: JSONValue) {
        guard let place = place(of: delta) else { return }
        for member in delta.members ?? [] where !member.value.isNull {
            switch member.key {
            case "index": break
            case "function", "custom": take(payload: member, into: place)
            // The id comes with the first piece; servers that repeat it repeat it whole.
            default: Self.set(member, in: &calls[place].members)
            }
        }
    }

    private mutating func place(of delta: JSONValue) -> Int? {
        let index = delta["index"]?.int
        let id = delta["id"]?.string ?? ""
        if let index {
            if let found = calls.lastIndex(where: { $0.index == index }) { return found }
        } else if let last = calls.indices.last {
            let known = calls[last].members.first { $0.key == "id" }?.value.string
            if id.isEmpty || id == known { return last }
        }
        guard calls.count < Self.maxCalls else { return nil }
        calls.append(Call(index: index))
        return calls.count - 1
    }

    private mutating func take(payload: JSONValue.Member, into place: Int) {
        calls[place].payload = payload.key
        for member in payload.value.members ?? [] where !member.value.isNull {
            if ["arguments", "input"].contains(member.key) {
                calls[place].argumentsKey = member.key
                calls[place].hasArguments = true
                // Some servers give an object, whole, and not the text of one.
                calls[place].arguments += member.value.string ?? member.value.text
            } else if member.key != "name" || member.value != "" {
                Self.set(member, in: &calls[place].function)
            }
        }
    }

    private static func set(_ member: JSONValue.Member, in members: inout [JSONValue.Member]) {
        if let place = members.firstIndex(where: { $0.key == member.key }) {
            if member.value != "" { members[place] = member }
        } else {
            members.append(member)
        }
    }

    /// The calls as a reply that was not streamed has them; nil where there are none.
    var json: JSONValue? {
        guard !calls.isEmpty else { return nil }
        return .array(
            calls.map { call in
                var function = call.function
                if call.hasArguments { function.append(.init(call.argumentsKey, .string(call.arguments))) }
                var members = call.members
                if !members.contains(where: { $0.key == "type" }) { members.append(.init("type", .string(call.payload))) }
                return .object(members + [.init(call.payload, .object(function))])
            })
    }
}
