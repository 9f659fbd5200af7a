import AgentQueueModel

/// What the chunks of a chat completion hold beside what the canonical form reads, so that the whole can be written as if it had come in
/// one piece.
struct ChatExtras: Sendable {
    /// Members beside the choices, the last of each name.
    private var members: [JSONValue.Member] = []
    /// Members of the message. Texts arrive in pieces, of anything else the last counts.
    private var message: [JSONValue.Member] = []
    private var logprobs: [JSONValue.Member] = []

    /// What is assembled elsewhere.
    private static let knownMembers: Set<String> = ["object", "choices", "usage", "x_groq"]
    private static let knownDeltas: Set<String> = ["role", "content", "refusal", "tool_calls", "function_call"]

    mutating func take(_ chunk: JSONValue, _ choice: JSONValue?) {
        for member in chunk.members ?? [] where !Self.knownMembers.contains(member.key) && !member.value.isNull {
            Self.set(member, in: &members)
        }
        for member in choice?["delta"]?.members ?? [] where !Self.knownDeltas.contains(member.key) && !member.value.isNull {
            Self.add(member, to: &message)
        }
        for member in choice?["logprobs"]?.members ?? [] { Self.add(member, to: &logprobs) }
    }

    private static func set(_ member: JSONValue.Member, in members: inout [JSONValue.Member]) {
        if let place = members.firstIndex(where: { $0.key == member.key }) { members[place] = member } else { members.append(member) }
    }

    private static func add(_ member: JSONValue.Member, to members: inout [JSONValue.Member]) {
        guard let place = members.firstIndex(where: { $0.key == member.key }) else { return members.append(member) }
        switch (members[place].value, member.value) {
        case (.string(let earlier), .string(let text)): members[place].value = .string(earlier + text)
        case (.array(let earlier), .array(let more)): members[place].value = .array(earlier + more)
        default: if !member.value.isNull { members[place].value = member.value }
        }
    }

    /// The completion.
    /// - Parameter body: what was assembled of the canonical form.
    func completion(_ body: JSONValue) -> JSONValue {
        let choice = body["choices"]?.array?.first
        let assembled = choice?["message"]
        var message: [JSONValue.Member] = [
            .init("role", "assistant"), .init("content", assembled?["content"] ?? .null), .init("refusal", assembled?["refusal"] ?? .null),
        ]
        for key in ["tool_calls", "function_call"] {
            if let value = assembled?[key] { message.append(.init(key, value)) }
        }
        message += self.message
        let logprobs: JSONValue = self.logprobs.isEmpty ? .null : .object(self.logprobs)
        let whole: JSONValue = [
            "index": 0, "message": .object(message), "logprobs": logprobs, "finish_reason": choice?["finish_reason"] ?? .null,
        ]
        var all = members
        let place = all.firstIndex { $0.key == "id" }.map { $0 + 1 } ?? 0
        all.insert(.init("object", "chat.completion"), at: place)
        all.append(.init("choices", [whole]))
        if let usage = body["usage"] { all.append(.init("usage", usage)) }
        return .object(all)
    }
}
