import AgentQueueModel

/// A client's request to chat completions.
enum ChatCheck {
    private static let types: [String: MemberType] = [
        "max_tokens": .wholeNumber(1...Int.max), "max_completion_tokens": .wholeNumber(1...Int.max), "n": .wholeNumber(1...128),
        "seed": .wholeNumber(Int.min...Int.max), "top_logprobs": .wholeNumber(0...Int.max), "temperature": .number, "top_p": .number,
        "frequency_penalty": .number, "presence_penalty": .number, "stream": .flag, "logprobs": .flag, "store": .flag,
        "parallel_tool_calls": .flag, "stop": .stringOrStrings, "modalities": .strings, "user": .string, "service_tier": .string,
        "reasoning_effort": .string, "tools": .list, "functions": .list, "tool_choice": .stringOrObject,
        "function_call": .stringOrObject, "response_format": .object, "stream_options": .object, "metadata": .object,
        "logit_bias": .object,
    ]

    private static let roles: Set<String> = ["developer", "system", "user", "assistant", "tool", "function"]

    static func check(_ body: JSONValue) throws(RequestError) {
        try body.check(types)
        for (index, message) in try body.requiredObjects("messages").enumerated() { try check(message, "messages[\(index)]") }
        for (index, tool) in (body.given("tools")?.array ?? []).enumerated() where tool["type"]?.string == nil {
            throw RequestError("tools[\(index)] must be an object with a type, such as \"function\"", param: "tools[\(index)]")
        }
        if let format = body.given("response_format") { try check(format: format) }
    }

    private static func check(_ message: JSONValue, _ place: String) throws(RequestError) {
        guard let role = message["role"]?.string else {
            throw RequestError("\(place).role is missing", param: "\(place).role")
        }
        guard roles.contains(role) else {
            throw RequestError(
                "\(place).role is \(InvalidText.quoted(role)), but must be one of \(roles.sorted().joined(separator: ", "))",
                param: "\(place).role")
        }
        if let content = message.given("content") { return try content.checkContent("\(place).content") }
        // An assistant that calls tools or refuses says nothing, and neither does an old function.
        let saysMore = message.given.contains { $0.key != "role" && $0.key != "name" }
        guard role == "assistant" || role == "function", saysMore else {
            throw RequestError("\(place).content is missing", param: "\(place).content")
        }
    }

    private static func check(format: JSONValue) throws(RequestError) {
        switch format["type"]?.string {
        case "json_schema":
            let param = "response_format.json_schema.schema"
            guard format["json_schema"]?.members != nil else {
                throw RequestError("response_format.json_schema is missing", param: "response_format.json_schema")
            }
            guard let schema = format["json_schema"]?.given("schema") else { return }
            try ClientRequest.check(schema: schema, param)
        case .some: break
        case nil:
            throw RequestError("response_format.type is missing: it is text, json_object or json_schema", param: "response_format.type")
        }
    }
}
