import AgentQueueModel

/// Assembles tool calls from their pieces.
package struct ToolCallDeltas: Sendable {
    private struct Call {
        var index: Int?
        var members: [JSONValue.Member] = []
        var function: [JSONValue.Member] = []
        /// The pieces of its arguments, or of a custom tool's input.
        var payload = "function"
        var argumentsKey = "arguments"
        var arguments = JoinedText()
        var hasArguments = false
        /// Whether its beginning has been told.
        var isTold = false
        /// Arguments that came before the name.
        var untold = ""

        func text(_ key: String, in members: [JSONValue.Member]) -> String { members.first { $0.key == key }?.value.string ?? "" }
    }

    private var calls: [Call] = []
    /// More calls than any model makes at once. Further ones are dropped.
    private static let maxCalls = 4_096

    /// Takes a piece, and adds what it says to the events. It belongs to the call of its `index`; without one, to the last call, unless its
    /// `id` is new.
    /// - Parameter hasHalves: whether the piece comes from a `JSONPiece` that has halves of characters.
    mutating func take(_ delta: JSONValue, hasHalves: Bool, _ events: inout [ReplyEvent]) {
        guard let place = place(of: delta) else { return }
        var added = ""
        for member in delta.members ?? [] where !member.value.isNull {
            switch member.key {
            case "index": break
            case "function", "custom": added += take(payload: member, into: place, hasHalves)
            // The id comes with the first piece. Servers that repeat it repeat all of it.
            default: Self.set(member, in: &calls[place].members, hasHalves)
            }
        }
        tell(added, of: place, &events)
    }

    /// A call is told of once its name is known.
    private mutating func tell(_ added: String, of place: Int, _ events: inout [ReplyEvent]) {
        calls[place].untold += added
        let call = calls[place]
        if !call.isTold {
            let name = call.text("name", in: call.function)
            guard !name.isEmpty else { return }
            calls[place].isTold = true
            events.append(.toolCall(index: place, id: call.text("id", in: call.members), name: name))
        }
        guard !call.untold.isEmpty else { return }
        calls[place].untold = ""
        events.append(.arguments(index: place, call.untold))
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

    /// Returns what is added to the arguments.
    private mutating func take(payload: JSONValue.Member, into place: Int, _ hasHalves: Bool) -> String {
        var added = ""
        calls[place].payload = payload.key
        for member in payload.value.members ?? [] where !member.value.isNull {
            if ["arguments", "input"].contains(member.key) {
                calls[place].argumentsKey = member.key
                calls[place].hasArguments = true
                // Some servers send a whole object instead of its text.
                added += calls[place].arguments.append(member.value.string ?? member.value.text, hasHalves: hasHalves)
            } else if member.key != "name" || member.value != "" {
                Self.set(member, in: &calls[place].function, hasHalves)
            }
        }
        return added
    }

    private static func set(_ member: JSONValue.Member, in members: inout [JSONValue.Member], _ hasHalves: Bool) {
        let member = hasHalves ? JSONValue.Member(member.key, member.value.withoutHalves) : member
        if let place = members.firstIndex(where: { $0.key == member.key }) {
            if member.value != "" { members[place] = member }
        } else {
            members.append(member)
        }
    }

    /// The calls as in an answer that was not streamed; nil if there are none.
    package var json: JSONValue? {
        guard !calls.isEmpty else { return nil }
        return .array(
            calls.map { call in
                var function = call.function
                if call.hasArguments { function.append(.init(call.argumentsKey, .string(call.arguments.text))) }
                var members = call.members
                if !members.contains(where: { $0.key == "type" }) { members.append(.init("type", .string(call.payload))) }
                return .object(members + [.init(call.payload, .object(function))])
            })
    }
}
