import AgentQueueModel

/// A request's members in the form of chat completions. OpenAI's form is left as it is; Anthropic's (from one of its batch files, say) is
/// translated.
package struct ChatRequest: Sendable, Equatable {
    /// The model's name.
    package var model: String
    /// Everything else, including `messages`.
    package var members: [JSONValue.Member]

    /// Members that are for the queue, or would change the form of the answer.
    private static let ownMembers: Set<String> = ["model", "sample", "stream", "stream_options"]

    /// Translates a request.
    /// - Parameter refused: the schemas that the server refuses to follow strictly.
    /// - Throws: `ModelFailure` (`permanent`) if something that changes the answer has no counterpart at OpenAI.
    package init(_ request: ModelRequest, refused: RefusedSchemas = RefusedSchemas()) throws(ModelFailure) {
        guard let members = request.body.members else {
            throw ModelFailure.unsent("the request is \(request.body.kindName), not an object")
        }
        model = request.target.model
        self.members = []
        for member in members where !Self.ownMembers.contains(member.key) {
            try take(member)
        }
        if let strictSchema, refused.hold(strictSchema) { relax() }
    }

    /// The value of a member.
    package subscript(key: String) -> JSONValue? { members.first { $0.key == key }?.value }

    /// The body to send to `/chat/completions`.
    package func body(_ form: ChatForm, streams: Bool) -> JSONValue {
        var all: [JSONValue.Member] = [.init("model", .string(model))]
        let isRenamed = form.hasCompletionLimit && self["max_completion_tokens"] == nil
        for member in members {
            guard form.hasCompletionLimit, member.key == "max_tokens" else {
                all.append(member)
                continue
            }
            if isRenamed { all.append(.init("max_completion_tokens", member.value)) }
        }
        if streams {
            all.append(.init("stream", true))
            if form.hasStreamOptions { all.append(.init("stream_options", ["include_usage": true])) }
        }
        return .object(all)
    }

    private mutating func take(_ member: JSONValue.Member) throws(ModelFailure) {
        switch member.key {
        case "messages": try take(messages: member.value)
        case "system": takeFirst(system: try AnthropicToOpenAI.system(member.value))
        // OpenAI refuses a list without tools, which clients of Anthropic send.
        case "tools" where member.value == []: break
        case "tools": set("tools", try AnthropicToOpenAI.tools(member.value))
        case "tool_choice": take(toolChoice: member.value)
        case "stop", "stop_sequences": take(stop: member.value)
        case "thinking": try take(thinking: member)
        case "output_config": try take(outputConfig: member.value)
        // Anthropic's prompt cache: these change the price, not the answer.
        case "cache_control", "diagnostics": break
        case "service_tier": set("service_tier", member.value == "standard_only" ? "default" : member.value)
        case "container", "mcp_servers", "context_management", "inference_geo", "speed":
            guard member.value.isNull || member.value == [] else { throw AnthropicToOpenAI.noCounterpart("'\(member.key)'") }
        default: set(member.key, member.value)
        }
    }

    private mutating func set(_ key: String, _ value: JSONValue) {
        members.removeAll { $0.key == key }
        members.append(.init(key, value))
    }

    private mutating func take(messages: JSONValue) throws(ModelFailure) {
        let translated = try AnthropicToOpenAI.messages(messages)
        // A top-level `system` comes before them.
        guard let system = self["messages"]?.array, let list = translated.array else { return set("messages", translated) }
        set("messages", .array(system + list))
    }

    private mutating func takeFirst(system: JSONValue?) {
        guard let system else { return }
        let message: JSONValue = ["role": "system", "content": system]
        guard let place = members.firstIndex(where: { $0.key == "messages" }) else { return set("messages", [message]) }
        if let list = members[place].value.array { members[place].value = .array([message] + list) }
    }

    private mutating func take(toolChoice: JSONValue) {
        let (choice, isParallel) = AnthropicToOpenAI.toolChoice(toolChoice)
        set("tool_choice", choice)
        if !isParallel { set("parallel_tool_calls", false) }
    }

    private mutating func take(stop: JSONValue) {
        guard let earlier = self["stop"] else { return set("stop", stop) }
        func list(_ value: JSONValue) -> [JSONValue] { value.array ?? (value.isNull ? [] : [value]) }
        set("stop", .array(list(earlier) + list(stop)))
    }

    /// Without a budget it is not Anthropic's form, but one that some OpenAI-compatible servers read.
    private mutating func take(thinking member: JSONValue.Member) throws(ModelFailure) {
        let type = member.value["type"]?.string
        if member.value.isNull || type == "disabled" { return }
        guard type == "enabled", member.value["budget_tokens"] == nil else {
            throw AnthropicToOpenAI.noCounterpart("'thinking' (reasoning_effort may be what is meant)")
        }
        set(member.key, member.value)
    }

    private mutating func take(outputConfig: JSONValue) throws(ModelFailure) {
        for member in outputConfig.members ?? [] where !member.value.isNull {
            switch (member.key, member.value.string ?? member.value["type"]?.string) {
            case ("effort", "low"?), ("effort", "medium"?), ("effort", "high"?): set("reasoning_effort", member.value)
            case ("format", "json_schema"?):
                let schema = member.value["schema"] ?? .object([])
                set(
                    "response_format",
                    [
                        "type": "json_schema",
                        "json_schema": ["name": "answer", "strict": .bool(StrictSchema.holds(schema)), "schema": schema],
                    ])
            default: throw AnthropicToOpenAI.noCounterpart("'output_config.\(Redaction.line(member.key, maxBytes: 64))'")
            }
        }
    }
}

extension ChatRequest {
    /// The schema that an answer is to follow strictly; nil if there is none, or not in strict mode.
    package var strictSchema: JSONValue? {
        guard let format = self["response_format"]?["json_schema"], format["strict"] == true else { return nil }
        return format["schema"]
    }

    /// Leaves strict mode. The schema stays.
    package mutating func relax() {
        guard strictSchema != nil, let format = self["response_format"]?.members else { return }
        let relaxed = format.map { member in
            guard member.key == "json_schema", let inner = member.value.members else { return member }
            return JSONValue.Member(member.key, .object(inner.map { $0.key == "strict" ? .init("strict", false) : $0 }))
        }
        set("response_format", .object(relaxed))
    }
}

/// The schemas that a server was found to refuse in strict mode, for one model.
package struct RefusedSchemas: Sendable {
    private var schemas: Set<JSONValue> = []
    /// So many refusals mean that it takes none: the server does not know strict mode, or only pretends to.
    private static let enough = 3

    package init() {}

    /// Whether a schema is among them.
    package func hold(_ schema: JSONValue) -> Bool { schemas.count >= Self.enough || schemas.contains(schema) }

    package mutating func add(_ schema: JSONValue) {
        if schemas.count < Self.enough { schemas.insert(schema) }
    }
}

/// How a server wants a chat request to be written.
package struct ChatForm: Sendable, Hashable {
    /// Whether the answer's limit is `max_completion_tokens`, as for OpenAI's newer models, instead of `max_tokens`.
    package var hasCompletionLimit = false
    /// Whether a stream may be asked for its usage.
    package var hasStreamOptions = true
    /// Whether it goes to `/responses` instead of `/chat/completions`.
    package var usesResponses = false

    package init(hasCompletionLimit: Bool = false, hasStreamOptions: Bool = true, usesResponses: Bool = false) {
        self.hasCompletionLimit = hasCompletionLimit
        self.hasStreamOptions = hasStreamOptions
        self.usesResponses = usesResponses
    }
}
