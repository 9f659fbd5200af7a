import JobModel
import ModelCalls

/// A request half way from the canonical form, OpenAI's, to Anthropic's: members go in one by one, a body comes out.
struct AnthropicTranslation {
    /// Messages of one role in a row, as one.
    struct Turn {
        var role: String
        var blocks: [JSONValue]
    }

    /// Blocks of the `system` member.
    var system: [JSONValue] = []
    /// Blocks of system and developer messages, wherever they stood: Anthropic has one place for them, before the conversation.
    var systemMessages: [JSONValue] = []
    /// The conversation.
    var turns: [Turn] = []
    /// In Anthropic's form.
    var tools: [JSONValue] = []
    /// In Anthropic's form.
    var toolChoice: JSONValue?
    /// Whether the model is to call one tool at a time.
    var callsOneTool = false
    /// The limits given, by their names.
    var limits: [JSONValue.Member] = []
    /// Texts that end the answer.
    var stops: [JSONValue] = []
    /// `output_config`, as given.
    var outputConfig: [JSONValue.Member] = []
    /// What `response_format` and `reasoning_effort` become: members of `output_config`.
    var outputMembers: [JSONValue.Member] = []
    /// `metadata`, as given.
    var metadata: JSONValue?
    /// Who asks, in OpenAI's words.
    var user: JSONValue?
    /// Members that pass unchanged.
    var rest: [JSONValue.Member] = []

    static func refused(_ words: String) -> ModelFailure { ModelFailure.unsent(Redaction.line(words)) }

    /// A name out of a request, for a sentence.
    static func quoted(_ name: String) -> String { "'\(Redaction.line(name, maxBytes: 64))'" }

    /// The most tokens the answer may have.
    /// - Parameter fallback: where the request does not say.
    func maxTokens(or fallback: Int) throws(ModelFailure) -> Int {
        var counts: Set<Int> = []
        for limit in limits {
            guard let count = limit.value.int, count >= 0 else { throw Self.refused("\(limit.key) must be a whole number") }
            counts.insert(count)
        }
        guard counts.count <= 1 else { throw Self.refused("max_tokens and max_completion_tokens differ: give one of them") }
        return counts.first ?? max(1, fallback)
    }

    /// The whole, in the order that Anthropic's prompt cache goes by.
    func body(model: String, maxTokens: Int) throws(ModelFailure) -> JSONValue {
        guard !turns.isEmpty else { throw Self.refused("the request holds no message of a user: Anthropic answers none without") }
        var members: [JSONValue.Member] = [.init("model", .string(model)), .init("max_tokens", .integer(Int64(maxTokens)))]
        if !tools.isEmpty { members.append(.init("tools", .array(tools))) }
        if let choice = try wholeToolChoice() { members.append(.init("tool_choice", choice)) }
        if !allSystem.isEmpty { members.append(.init("system", .array(allSystem))) }
        let messages = turns.map { JSONValue.object([.init("role", .string($0.role)), .init("content", .array($0.blocks))]) }
        members.append(.init("messages", .array(messages)))
        if !stops.isEmpty { members.append(.init("stop_sequences", .array(stops))) }
        if let config = try wholeOutputConfig() { members.append(.init("output_config", config)) }
        if let metadata = wholeMetadata { members.append(.init("metadata", metadata)) }
        return .object(members + rest)
    }

    private var allSystem: [JSONValue] { system + systemMessages }

    private func wholeToolChoice() throws(ModelFailure) -> JSONValue? {
        // Without tools there is nothing to call one at a time.
        guard callsOneTool, !tools.isEmpty, toolChoice?["type"]?.string != "none" else { return toolChoice }
        let members = toolChoice?.members ?? [.init("type", "auto")]
        guard !members.contains(where: { $0.key == "disable_parallel_tool_use" }) else { return toolChoice }
        return .object(members + [.init("disable_parallel_tool_use", true)])
    }

    private func wholeOutputConfig() throws(ModelFailure) -> JSONValue? {
        for member in outputMembers where outputConfig.contains(where: { $0.key == member.key && $0.value != member.value }) {
            throw Self.refused("output_config.\(member.key) says something else than OpenAI's word for it: give one of them")
        }
        let added = outputMembers.filter { member in !outputConfig.contains { $0.key == member.key } }
        return outputConfig.isEmpty && added.isEmpty ? nil : .object(outputConfig + added)
    }

    private var wholeMetadata: JSONValue? {
        guard let user else { return metadata }
        guard let metadata else { return .object([.init("user_id", user)]) }
        guard let members = metadata.members, metadata["user_id"] == nil else { return metadata }
        return .object(members + [.init("user_id", user)])
    }
}
