import AgentQueueModel

/// A client's request to Anthropic's messages.
enum MessagesCheck {
    private static let types: [String: MemberType] = [
        "max_tokens": .wholeNumber(0...Int.max), "top_k": .wholeNumber(0...Int.max), "temperature": .number, "top_p": .number,
        "stream": .flag, "stop_sequences": .strings, "tools": .list, "tool_choice": .object, "thinking": .object, "metadata": .object,
        "output_config": .object, "context_management": .object, "service_tier": .string, "mcp_servers": .list,
    ]

    /// The most messages of one request.
    private static let maxMessages = 100_000

    static func check(_ body: JSONValue) throws(RequestError) {
        try body.check(types)
        guard body.given("max_tokens") != nil else {
            throw RequestError("max_tokens is missing: give the most tokens that the answer may have", param: "max_tokens")
        }
        let messages = try body.requiredObjects("messages")
        guard messages.count <= maxMessages else {
            throw RequestError("messages has \(messages.count) elements (at most \(maxMessages))", param: "messages")
        }
        for (index, message) in messages.enumerated() {
            let place = "messages[\(index)]"
            guard let role = message["role"]?.string, ["user", "assistant", "system"].contains(role) else {
                throw RequestError("\(place).role must be user, assistant or system", param: "\(place).role")
            }
            guard let content = message.given("content") else {
                throw RequestError("\(place).content is missing", param: "\(place).content")
            }
            try content.checkContent("\(place).content")
        }
        if let system = body.given("system") { try system.checkContent("system") }
        for (index, tool) in (body.given("tools")?.array ?? []).enumerated() where tool["name"]?.string == nil && tool["type"] == nil {
            throw RequestError("tools[\(index)] must be an object with a name", param: "tools[\(index)].name")
        }
        if let format = body.given("output_config")?.given("format"), let schema = format.given("schema") {
            try ClientRequest.check(schema: schema, "output_config.format.schema")
        }
    }
}
