import AgentQueueModel

/// A client's request to OpenAI's responses.
enum ResponsesCheck {
    private static let types: [String: MemberType] = [
        "instructions": .string, "max_output_tokens": .wholeNumber(1...Int.max), "temperature": .number, "top_p": .number,
        "top_logprobs": .wholeNumber(0...Int.max), "stream": .flag, "store": .flag, "background": .flag, "parallel_tool_calls": .flag,
        "previous_response_id": .string, "text": .object, "reasoning": .object, "metadata": .object, "tools": .list, "include": .strings,
        "tool_choice": .stringOrObject, "service_tier": .string, "user": .string, "stream_options": .object,
    ]

    /// What a request may have instead of its own input.
    private static let sources = ["previous_response_id", "conversation", "prompt"]

    static func check(_ body: JSONValue) throws(RequestError) {
        try body.check(types)
        guard let input = body.given("input") else {
            guard sources.contains(where: { body.given($0) != nil }) else { throw RequestError("input is missing", param: "input") }
            return
        }
        if input.string == nil {
            for (index, item) in try body.requiredObjects("input").enumerated() where item["type"] == nil || item["type"] == "message" {
                let place = "input[\(index)]"
                guard item["role"]?.string != nil else { throw RequestError("\(place).role is missing", param: "\(place).role") }
                guard let content = item.given("content") else {
                    throw RequestError("\(place).content is missing", param: "\(place).content")
                }
                try content.checkContent("\(place).content")
            }
        }
        if let format = body.given("text")?.given("format"), format["type"] == "json_schema", let schema = format.given("schema") {
            try ClientRequest.check(schema: schema, "text.format.schema")
        }
    }
}
