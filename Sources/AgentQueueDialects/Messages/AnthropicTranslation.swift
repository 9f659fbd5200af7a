import AgentQueueModel

/// A request on its way from the canonical form, which is OpenAI's, to Anthropic's. Members go in one by one; the body is built at the end.
package struct AnthropicTranslation {
    /// Consecutive messages of one role, as one.
    package struct Turn {
        package var role: String
        package var blocks: [JSONValue]
    }

    /// Blocks of the `system` member.
    package var system: [JSONValue] = []
    /// Blocks of system and developer messages, wherever they were: Anthropic has a single place for them, before the conversation.
    package var systemMessages: [JSONValue] = []
    /// The conversation.
    package var turns: [Turn] = []
    /// In Anthropic's form.
    package var tools: [JSONValue] = []
    /// In Anthropic's form.
    package var toolChoice: JSONValue?
    /// Whether the model may call only one tool at a time.
    package var callsOneTool = false
    /// The limits given, by name.
    package var limits: [JSONValue.Member] = []
    /// Texts that stop the answer.
    package var stops: [JSONValue] = []
    /// `output_config`, as given.
    package var outputConfig: [JSONValue.Member] = []
    /// The members of `output_config` that `response_format` and `reasoning_effort` become.
    package var outputMembers: [JSONValue.Member] = []
    /// The schemas that the server refuses.
    package var refused = RefusedSchemas()
    /// The schema of `response_format`, if it is sent as the answer's format.
    package var formatSchema: JSONValue?
    /// The words that ask for a schema which cannot be sent as the answer's format.
    package var instruction: JSONValue?
    /// `metadata`, as given.
    package var metadata: JSONValue?
    /// The user's id, in OpenAI's form.
    package var user: JSONValue?
    /// Members that pass unchanged.
    package var rest: [JSONValue.Member] = []

    package static func refused(_ words: String) -> ModelFailure { ModelFailure.unsent(Redaction.line(words)) }

    /// A name from a request, fit for a message.
    package static func quoted(_ name: String) -> String { "'\(Redaction.line(name, maxBytes: 64))'" }

    /// The most tokens the answer may have.
    /// - Parameter fallback: used if the request does not say.
    package func maxTokens(or fallback: Int) throws(ModelFailure) -> Int {
        var counts: Set<Int> = []
        for limit in limits {
            guard let count = limit.value.int, count >= 0 else { throw Self.refused("\(limit.key) must be a whole number") }
            counts.insert(count)
        }
        guard counts.count <= 1 else { throw Self.refused("max_tokens and max_completion_tokens differ: give one of them") }
        return counts.first ?? max(1, fallback)
    }

    /// The body, in the order in which Anthropic's prompt cache reads it.
    package func body(model: String, maxTokens: Int) throws(ModelFailure) -> JSONValue {
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

    private var allSystem: [JSONValue] { system + systemMessages + [instruction].compactMap(\.self) }

    private func wholeToolChoice() throws(ModelFailure) -> JSONValue? {
        // Without tools the setting has no meaning.
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

/// A request in Anthropic's form.
package struct AnthropicRequest: Sendable, Equatable {
    /// The body of `POST /v1/messages`, without `stream`.
    package let body: JSONValue
    /// The most tokens the answer may have.
    package let maxTokens: Int
    /// The schema that the answer's format was made of; nil if there is none, or if it was put into words.
    package let schema: JSONValue?
    /// The client's own request, which is sent instead of ``body``; nil if that was translated.
    package let native: NativeRequest?
    /// The form in which the client wants its answer; nil if there is none.
    package let clientForm: RequestForm?

    /// A client's own request, as it came.
    /// - Throws: `ModelFailure` (`permanent`) if it is damaged.
    package init(_ native: NativeRequest, model: String) throws(ModelFailure) {
        guard let members = (try? JSONValue.parse(native.body))?.members else {
            throw ModelFailure.unsent("the stored request is damaged")
        }
        body = .object(members.map { $0.key == "model" ? .init("model", .string(model)) : $0 })
        maxTokens = body["max_tokens"]?.int ?? 1
        schema = nil
        self.native = native
        clientForm = native.form
    }

    /// Translates a request from the canonical form. Members that both forms have, or only Anthropic's, pass unchanged. So do unknown ones,
    /// which are for the server to accept or refuse.
    /// - Parameters:
    ///   - maxOutputTokens: the limit of the answer's tokens if the request sets none.
    ///   - promptCache: what to mark if the request marks nothing.
    ///   - refused: the schemas that the server refuses.
    /// - Throws: `ModelFailure` (`permanent`) if something has no counterpart at Anthropic: nothing is dropped silently.
    package init(
        _ request: ModelRequest, maxOutputTokens: Int, promptCache: PromptCache, refused: RefusedSchemas = RefusedSchemas()
    ) throws(ModelFailure) {
        guard request.kind == .generate else {
            throw ModelFailure.unsent("Anthropic has no embeddings; name an embedding model of another provider")
        }
        guard let members = request.body.members else {
            throw ModelFailure.unsent("the request is \(request.body.kindName), not an object")
        }
        var translation = AnthropicTranslation()
        translation.refused = refused
        for member in members where !member.value.isNull { try translation.take(member) }
        if let mark = promptCache.mark { translation.markPrefix(mark) }
        maxTokens = try translation.maxTokens(or: maxOutputTokens)
        schema = translation.formatSchema
        body = try translation.body(model: request.target.model, maxTokens: maxTokens)
        native = nil
        clientForm = request.native?.form
    }

    private static let samplingMembers = ["temperature", "top_p", "top_k"]

    /// Whether it needs the API's older version.
    package var hasSampling: Bool { Self.samplingMembers.contains { body[$0] != nil } }

    /// The members that count_tokens accepts. No other changes the count.
    private static let countedMembers: Set<String> = [
        "model", "system", "messages", "tools", "tool_choice", "thinking", "output_config", "cache_control", "mcp_servers",
    ]

    /// The body of `POST /v1/messages/count_tokens`.
    package var countBody: JSONValue { .object((body.members ?? []).filter { Self.countedMembers.contains($0.key) }) }
}

extension AnthropicTranslation {
    /// Takes one member of the request that is not null.
    /// - Throws: `ModelFailure` (`permanent`).
    package mutating func take(_ member: JSONValue.Member) throws(ModelFailure) {
        let value = member.value
        switch member.key {
        // The queue's own members, and hints of OpenAI's that do not change the answer.
        case "model", "sample", "stream", "stream_options", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention": break
        case "messages": try takeMessages(value)
        case "system": system += try Self.systemBlocks(value, "system")
        case "max_tokens", "max_completion_tokens": limits.append(member)
        case "stop", "stop_sequences": try takeStops(value, member.key)
        case "tools": try takeTools(value)
        case "tool_choice": toolChoice = try Self.toolChoice(value)
        case "parallel_tool_calls": callsOneTool = value == false
        case "response_format": try takeFormat(value)
        case "reasoning_effort": try takeEffort(value)
        case "output_config":
            guard let members = value.members else { throw Self.refused("output_config must be an object") }
            outputConfig += members
        case "metadata": metadata = value
        case "safety_identifier": user = value
        case "user": user = user ?? value
        case "service_tier": rest.append(.init("service_tier", try Self.serviceTier(value)))
        default:
            guard !Self.hasNoCounterpart(member) else {
                throw Self.refused("\(member.key) has no counterpart at Anthropic: leave it out, or ask another provider")
            }
            if !Self.saysNothing(member) { rest.append(member) }
        }
    }

    /// Parameters that only OpenAI's models have, unless they say no more than the default.
    private static func hasNoCounterpart(_ member: JSONValue.Member) -> Bool {
        openAIMembers.contains(member.key) && !saysNothing(member)
    }

    private static let openAIMembers: Set<String> = [
        "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "modalities", "n", "prediction",
        "presence_penalty", "seed", "store", "top_logprobs", "verbosity", "web_search_options",
    ]

    /// Whether a member says no more than the default.
    private static func saysNothing(_ member: JSONValue.Member) -> Bool {
        switch member.key {
        case "frequency_penalty", "presence_penalty", "top_logprobs": member.value.number == 0
        case "logit_bias": member.value.members?.isEmpty == true
        case "logprobs", "store": member.value == false
        case "modalities": member.value == ["text"]
        case "n": member.value.int == 1
        default: false
        }
    }

    private mutating func takeStops(_ value: JSONValue, _ key: String) throws(ModelFailure) {
        switch value {
        case .string: stops.append(value)
        case .array(let texts) where texts.allSatisfy({ $0.string != nil }): stops += texts
        default: throw Self.refused("\(key) must be a string or a list of strings")
        }
    }

    private mutating func takeFormat(_ format: JSONValue) throws(ModelFailure) {
        switch format["type"]?.string {
        case "text": break
        case "json_schema":
            guard let wrapper = format["json_schema"], var schema = (wrapper["schema"] ?? .null).members else {
                throw Self.refused("response_format.json_schema holds no schema")
            }
            // Anthropic's form has no place for what OpenAI's says besides the schema. The name is only a label.
            if let description = wrapper["description"], description.string != nil, !schema.contains(where: { $0.key == "description" }) {
                schema.append(.init("description", description))
            }
            ask(for: .object(schema))
        case "json_object":
            throw Self.refused("response_format json_object has no counterpart at Anthropic: give a json_schema")
        default: throw Self.refused("response_format must be text or json_schema")
        }
    }

    /// Asks for a schema: as the answer's format, or in words if structured outputs do not take it.
    private mutating func ask(for schema: JSONValue) {
        if !refused.hold(schema), let sent = AnthropicSchema.sent(schema) {
            outputMembers.append(.init("format", .object([.init("type", "json_schema"), .init("schema", sent)])))
            formatSchema = schema
        } else {
            let words = "Answer with JSON alone, without a code fence, that fits this JSON Schema:\n\(schema.text)"
            instruction = ["type": "text", "text": .string(words)]
        }
    }

    private static let efforts: Set<String> = ["low", "medium", "high", "xhigh", "max"]

    private mutating func takeEffort(_ effort: JSONValue) throws(ModelFailure) {
        guard let word = effort.string, Self.efforts.contains(word) else {
            throw Self.refused("reasoning_effort has this counterpart at Anthropic: \(Self.efforts.sorted().joined(separator: ", "))")
        }
        outputMembers.append(.init("effort", effort))
    }

    private static func serviceTier(_ tier: JSONValue) throws(ModelFailure) -> JSONValue {
        switch tier.string {
        case "auto", "standard_only": return tier
        case "default": return "standard_only"
        default: throw refused("service_tier must be auto or default (Anthropic's standard_only): it has no other")
        }
    }
}
