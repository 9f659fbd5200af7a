import AgentQueueModel

/// Assembles an answer from the events of its stream.
package protocol EventAssembler: Sendable {
    /// Takes the next event, and returns the text that it adds to the answer.
    mutating func take(_ event: ServerSentEvent) -> String
    /// The answer's text so far.
    var text: String { get }
    /// Whether any of the answer has arrived, including thinking and tool calls.
    var hasBegun: Bool { get }
    /// The answer as if it had not been streamed, or the error in its place; nil if the stream has not brought all of it.
    var body: JSONValue? { get }
    /// The tokens counted so far, in the server's form; nil if there is no count.
    var usage: JSONValue? { get }
    /// The event that cannot be read, with which a part of the answer may be lost; nil if there is none.
    var unreadable: UnreadableEvent? { get }
}

/// Assembles a chat completion from its chunks.
package struct ChatStream: EventAssembler {
    package private(set) var usage: JSONValue?
    package private(set) var unreadable: UnreadableEvent?
    private var reader = EventReader()
    private var content = JoinedText()
    private var reasoning = JoinedText()
    private var refusal = JoinedText()
    private var toolCalls = ToolCallDeltas()
    private var functionCall = ToolCallDeltas()
    private var finishReason: String?
    private var model: JSONValue?
    private var id: JSONValue?
    private var choiceError: JSONValue?
    private var error: JSONValue?
    private var hasChoice = false
    private var isDone = false

    package init() {}

    package var text: String { content.text }

    package mutating func take(_ event: ServerSentEvent) -> String {
        guard unreadable == nil else { return "" }
        do throws(UnreadableEvent) {
            return try reader.read(event).reduce(into: "") { $0 += take($1, isError: event.name == "error") }
        } catch {
            // After the answer's end nothing of it can be lost.
            if finishReason == nil, !isDone, self.error == nil { unreadable = error }
            return ""
        }
    }

    private mutating func take(_ content: EventReader.Content, isError: Bool) -> String {
        guard error == nil, !isDone else { return "" }
        guard case .json(let piece) = content else {
            isDone = true
            return ""
        }
        let chunk = piece.value
        if isError || OpenAIError(body: chunk) != nil {
            // Gateways send a choice with the error, which must not hide it.
            if let inner = chunk["error"], OpenAIError(body: ["error": inner]) != nil {
                error = ["error": inner]
            } else {
                error = OpenAIError(body: chunk) == nil ? ["error": true] : chunk
            }
            return ""
        }
        model = chunk["model"] ?? model
        id = chunk["id"] ?? id
        let choice = Self.choice(in: chunk)
        // Moonshot counts in the choice, Groq in a member of its own.
        let counts = [chunk["usage"], choice?["usage"], chunk["x_groq"]?["usage"]]
        usage = counts.compactMap(\.self).first { $0.members?.isEmpty == false } ?? usage
        guard let choice, let unjoined = Self.choice(in: piece.unjoined) else { return "" }
        hasChoice = true
        finishReason = OpenAIReply.finishReason(choice) ?? finishReason
        if let error = choice["error"], !error.isNull { choiceError = error }
        return take(delta: unjoined, hasHalves: piece.hasHalves)
    }

    /// The first of several choices counts.
    private static func choice(in chunk: JSONValue) -> JSONValue? {
        chunk["choices"]?.array?.first { ($0["index"]?.int ?? 0) == 0 }
    }

    private mutating func take(delta choice: JSONValue, hasHalves: Bool) -> String {
        guard let delta = choice["delta"] ?? choice["message"] ?? choice["text"].map({ ["content": $0] }) else { return "" }
        reasoning.append(OpenAIReply.reasoning(delta) ?? "", hasHalves: hasHalves)
        refusal.append(delta["refusal"]?.string ?? "", hasHalves: hasHalves)
        for call in delta["tool_calls"]?.array ?? [] { toolCalls.take(call, hasHalves: hasHalves) }
        if let call = delta["function_call"], call.members?.isEmpty == false {
            functionCall.take(["index": 0, "function": call], hasHalves: hasHalves)
        }
        return content.append(OpenAIReply.text(delta["content"]) ?? "", hasHalves: hasHalves)
    }

    package var hasBegun: Bool {
        !content.isEmpty || !reasoning.isEmpty || !refusal.isEmpty || toolCalls.json != nil || functionCall.json != nil
    }

    package var body: JSONValue? {
        if let error { return error }
        guard unreadable == nil, isDone || finishReason != nil || choiceError != nil else { return nil }
        var members: [JSONValue.Member] = []
        if let id { members.append(.init("id", id)) }
        if let model { members.append(.init("model", model)) }
        if hasChoice { members.append(.init("choices", [choice])) }
        if let usage { members.append(.init("usage", usage)) }
        return .object(members)
    }

    private var choice: JSONValue {
        var message: [JSONValue.Member] = [.init("content", text.isEmpty ? .null : .string(text))]
        if !reasoning.isEmpty { message.append(.init("reasoning", .string(reasoning.text))) }
        if !refusal.isEmpty { message.append(.init("refusal", .string(refusal.text))) }
        if let calls = toolCalls.json { message.append(.init("tool_calls", calls)) }
        if let call = functionCall.json?.array?.first?["function"] { message.append(.init("function_call", call)) }
        var members: [JSONValue.Member] = [.init("message", .object(message))]
        if let finishReason { members.append(.init("finish_reason", .string(finishReason))) }
        if let choiceError { members.append(.init("error", choiceError)) }
        return .object(members)
    }
}

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
    }

    private var calls: [Call] = []
    /// More calls than any model makes at once. Further ones are dropped.
    private static let maxCalls = 4_096

    /// Takes a piece. It belongs to the call of its `index`; without one, to the last call, unless its `id` is new.
    /// - Parameter hasHalves: whether the piece comes from a `JSONPiece` that has halves of characters.
    package mutating func take(_ delta: JSONValue, hasHalves: Bool) {
        guard let place = place(of: delta) else { return }
        for member in delta.members ?? [] where !member.value.isNull {
            switch member.key {
            case "index": break
            case "function", "custom": take(payload: member, into: place, hasHalves)
            // The id comes with the first piece. Servers that repeat it repeat all of it.
            default: Self.set(member, in: &calls[place].members, hasHalves)
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

    private mutating func take(payload: JSONValue.Member, into place: Int, _ hasHalves: Bool) {
        calls[place].payload = payload.key
        for member in payload.value.members ?? [] where !member.value.isNull {
            if ["arguments", "input"].contains(member.key) {
                calls[place].argumentsKey = member.key
                calls[place].hasArguments = true
                // Some servers send a whole object instead of its text.
                calls[place].arguments.append(member.value.string ?? member.value.text, hasHalves: hasHalves)
            } else if member.key != "name" || member.value != "" {
                Self.set(member, in: &calls[place].function, hasHalves)
            }
        }
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
